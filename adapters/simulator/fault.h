// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace batchllm::simulator {

// What can go wrong with an answer.
enum class FaultKind : std::uint8_t {
  none,
  status,          // an HTTP error with its usual body
  reset,           // TCP reset before any answer
  close,           // orderly end of the connection before any answer
  slow,            // the answer, after `delay_ms`
  truncated,       // full Content-Length, half of the body, then the end
  garbage,         // 200 with an HTML page
  empty,           // 200 with empty content
  refusal,         // 200 with message.refusal
  length,          // 200, cut off: finish_reason "length"
  content_filter,  // 200 with finish_reason "content_filter"
  quota,           // 429 insufficient_quota
  context,         // 400 context_length_exceeded
  hang,            // no answer, ever
};

// Its name in --fault, in scripts and in the request log ("reset"); "status" for HTTP errors.
std::string_view fault_name(FaultKind kind) noexcept;

// One --fault: KIND:P[%][:OPTION]…
struct FaultRule {
  FaultKind kind = FaultKind::none;
  int status = 0;                    // 400 to 599 for FaultKind::status
  double probability = 0;            // 0 to 1
  std::int64_t delay_ms = 0;         // for FaultKind::slow
  std::uint32_t first = UINT32_MAX;  // only the first so many times that a request is seen
};

// "500:1%", "reset:0.005", "slow:0.1%:45s", "503:100%:once", "429:1:first=2".
// Throws Error(usage).
FaultRule parse_fault(std::string_view text);

// "reset" or "503": a rule that always applies. Throws Error(usage).
FaultRule parse_fault_kind(std::string_view text);

// The fault, if any, that meets the request `identity` when it is seen for the (`attempt`+1)th
// time. Depends on its arguments only, so a retry has its own luck and a repeated run has the same.
const FaultRule* draw_fault(std::span<const FaultRule> rules,
                            std::uint64_t seed,
                            std::uint64_t identity,
                            std::uint32_t attempt) noexcept;

}  // namespace batchllm::simulator
