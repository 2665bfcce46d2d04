// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/fault.h"
#include "adapters/simulator/latency.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// What `batchllm simulate` was asked to do. Defaults: answers at once, no limits, no faults.
struct SimulatorSettings {
  std::string host = "127.0.0.1";  // must name the loopback interface
  int port = 0;                    // 0: any free one
  std::string socket_path;         // a UNIX socket instead of host and port
  std::uint64_t seed = 0;          // other seed, other answers
  simulator::Latency latency;
  std::optional<std::int64_t> requests_per_minute;  // for each API key
  std::optional<std::int64_t> tokens_per_minute;
  std::vector<simulator::FaultRule> faults;  // their probabilities add up
  std::string script_path;                   // JSONL, see adapters/simulator/script.h
  std::string log_path;                      // JSONL, see adapters/simulator/request_log.h
  bool log_bodies = false;
  std::string tls_certificate_path;  // PEM; both or none
  std::string tls_key_path;
  std::string required_key;  // other API keys get 401; empty: any or none will do
};

// A server that speaks the HTTP dialects of the providers (answers plain and streamed, embeddings,
// models; see adapters/simulator/dialects/dialect_list.h) and makes its answers up: equal requests
// get equal answers, byte for byte, whatever the order, the connection and the time. For tests of
// batchllm and of what is built on it.
//
// Thread rule: stop() from any thread and from signal handlers; everything else from one thread.
class Simulator {
 public:
  // Reads the script, opens the log, binds and listens: clients may connect from here on. Throws
  // Error(usage | input_missing | input_malformed | storage | job_conflict).
  explicit Simulator(const SimulatorSettings& settings);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  // "http://127.0.0.1:8080/v1", "https://…/v1" or "unix:/run/sim.sock".
  const std::string& base_url() const noexcept;

  // Serves until stop(). Throws Error(storage) when the request log cannot be written any more.
  void run();

  // Makes run() return soon; requests in the making are dropped. May be called before run().
  void stop() noexcept;

  // Requests decided so far; on the thread of run().
  std::uint64_t request_count() const noexcept;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace batchllm
