// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace batchllm {

// How far a job is, as one immutable value. Made by the engine a few times a second, shown by the
// CLI.
struct ProgressSnapshot {
  std::uint64_t done = 0;  // rows with an outcome, those of earlier runs included
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t already_done = 0;  // of `done`: known before this run began
  std::uint64_t in_flight = 0;
  std::uint64_t waiting_for_retry = 0;
  std::optional<std::uint64_t> total;  // rows
  bool total_is_exact = false;         // false: estimated from the share of bytes read
  std::int64_t cost_micro_usd = 0;
  bool cost_is_known = false;  // false: the model has no known price
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  double elapsed_s = 0;        // of this run
  double rows_per_s = 0;       // over the last seconds
  std::int64_t paused_ms = 0;  // > 0: the provider asked to wait this long
};

}  // namespace batchllm
