// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// The flags of `batchllm simulate`, as typed.
struct SimulateOptions {
  std::optional<int> port;  // --port; none: any free one
  std::string host = "127.0.0.1";
  std::string socket;  // --socket PATH
  std::uint64_t seed = 0;
  std::string latency;              // --latency DIST
  std::optional<std::int64_t> rpm;  // --rpm N
  std::optional<std::int64_t> tpm;  // --tpm N
  std::vector<std::string> faults;  // --fault KIND:P, in order
  std::string script;
  std::string log;
  bool log_bodies = false;
  std::string tls_cert;
  std::string tls_key;
  std::string require_key;
};

// Starts the simulator, prints its base URL as the first line of stdout (with `json` as an object
// of schema batchllm.simulate/1) and serves until SIGINT or SIGTERM. Returns the exit code, 0;
// throws Error when it cannot start.
int simulate_command(const SimulateOptions& options, bool json);

}  // namespace batchllm
