// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/chat_request.h"
#include "adapters/simulator/rate_limit.h"
#include "adapters/simulator/reply_text.h"
#include "adapters/simulator/request_log.h"
#include "adapters/simulator/script.h"
#include "adapters/simulator/seen_table.h"
#include "adapters/simulator/simulator.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::simulator {

// A request as it came in.
struct SimulatedRequest {
  std::string_view method;
  std::string_view path;           // without the query
  std::string_view authorization;  // value of the header
  std::string_view body;           // with RequestParser::k_padding readable bytes behind it
  std::uint64_t connection = 0;
};

// When it came in.
struct RequestTime {
  std::int64_t monotonic_us = 0;
  std::int64_t wall_ms = 0;
};

enum class Delivery : std::uint8_t {
  answer,     // as HTTP wants it
  events,     // the same, cut at `ends` into chunks
  truncated,  // full Content-Length, half of the body, end of the connection
  reset,      // TCP reset instead of an answer
  close,      // end of the connection instead of an answer
  hang,       // nothing
};

// What is to be done about it.
struct SimulatedReply {
  Delivery delivery = Delivery::answer;
  int status = 200;
  const char* content_type = "application/json";
  std::int64_t delay_us = 0;
  std::string body;
  std::vector<std::size_t> ends;
  std::vector<std::pair<std::string, std::string>> headers;

  // Back to the defaults; keeps the memory.
  void clear();
};

// Decides what the simulator answers: all of it but the network. Time comes in as a value. Not
// thread-safe.
class SimulatorService {
 public:
  // Reads the script and opens the log; throws as they do.
  explicit SimulatorService(SimulatorSettings settings);

  // Fills `reply` (cleared first) and adds a line to the log.
  void decide(const SimulatedRequest& request, const RequestTime& now, SimulatedReply& reply);

  std::uint64_t request_count() const noexcept { return ordinal_; }

  // nullptr: no log was asked for.
  RequestLog* log() noexcept { return log_.get(); }

 private:
  struct Facts;  // what is known about the request at hand

  void route(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply);
  void chat(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply);
  void embeddings(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply);
  bool let_through(std::int64_t tokens,
                   std::uint64_t identity,
                   Facts& facts,
                   SimulatedReply& reply);
  bool apply_http_fault(const FaultRule& rule, SimulatedReply& reply);
  void make_content(const ChatRequest& request);
  void write_completion(const ChatRequest& request,
                        const FaultRule* fault,
                        const ScriptedAnswer* scripted,
                        SimulatedReply& reply);
  void add_headers(const Facts& facts, SimulatedReply& reply);
  void write_log(const SimulatedRequest& request,
                 const RequestTime& now,
                 const Facts& facts,
                 const SimulatedReply& reply);

  SimulatorSettings settings_;
  Script script_;
  std::unique_ptr<RequestLog> log_;
  RateLimits limits_;
  SeenTable seen_;
  RequestParser parser_;
  ChatRequest chat_;
  EmbeddingsRequest embeddings_;
  std::string content_;
  std::string sentence_;
  std::uint64_t ordinal_ = 0;
};

}  // namespace batchllm::simulator
