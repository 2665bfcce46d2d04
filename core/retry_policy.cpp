// SPDX-License-Identifier: Apache-2.0
#include "core/retry_policy.h"

#include <algorithm>

namespace batchllm {

bool RetryPolicy::is_transient(RowFailure failure) noexcept {
  switch (failure) {
    case RowFailure::rate_limited:
    case RowFailure::server_error:
    case RowFailure::overloaded:
    case RowFailure::timeout:
    case RowFailure::connection_failed:
    case RowFailure::protocol_error:
      return true;
    default:
      return false;
  }
}

bool RetryPolicy::is_free(RowFailure failure) noexcept {
  return failure == RowFailure::rate_limited || failure == RowFailure::connection_failed;
}

bool RetryPolicy::allows_another(RowFailure failure,
                                 std::uint32_t attempts,
                                 std::uint32_t free_attempts) const noexcept {
  if (!is_transient(failure) || max_attempts_ <= 1) {
    return false;
  }
  if (is_free(failure)) {
    return free_attempts < std::uint64_t{max_attempts_} * 10;
  }
  return attempts - free_attempts < max_attempts_;
}

Milliseconds RetryPolicy::delay(std::uint32_t attempts,
                                std::optional<std::int64_t> retry_after_ms,
                                double chance) noexcept {
  if (retry_after_ms && *retry_after_ms > 0) {
    const auto asked = std::min<std::int64_t>(*retry_after_ms, k_longest_wait_asked.count());
    return Milliseconds(asked +
                        static_cast<std::int64_t>(chance * (static_cast<double>(asked) / 10)));
  }
  const unsigned doublings = std::min<unsigned>(attempts == 0 ? 0 : attempts - 1, 7);
  const auto longest = std::min(k_first_delay * (1U << doublings), k_longest_delay);
  return Milliseconds(static_cast<std::int64_t>(chance * static_cast<double>(longest.count())));
}

}  // namespace batchllm
