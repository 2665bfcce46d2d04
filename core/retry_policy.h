// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"
#include "core/outcome.h"

#include <cstdint>
#include <optional>

namespace batchllm {

// Which failures are worth another try, and after how long. Time and chance come in as values.
class RetryPolicy {
 public:
  static constexpr Milliseconds k_first_delay{500};
  static constexpr Milliseconds k_longest_delay{60'000};
  static constexpr Milliseconds k_longest_wait_asked{3'600'000};

  // `max_attempts`: requests for one row at most; 1: none is repeated. Attempts that the provider
  // did not take up (told to wait, not connected) cost nothing and are no fault of the row: they
  // have a ceiling of their own, ten times as high.
  explicit RetryPolicy(std::uint32_t max_attempts) : max_attempts_(max_attempts) {}

  static bool is_transient(RowFailure failure) noexcept;

  // The provider did not take the request up.
  static bool is_free(RowFailure failure) noexcept;

  bool allows_another(RowFailure failure,
                      std::uint32_t attempts,
                      std::uint32_t free_attempts) const noexcept;

  // Exponential backoff with full jitter: chance (0 to 1) times 0.5 s, 1 s, 2 s … 60 s. A wait that
  // the server asked for is kept in full, with up to a tenth more.
  static Milliseconds delay(std::uint32_t attempts,
                            std::optional<std::int64_t> retry_after_ms,
                            double chance) noexcept;

 private:
  std::uint32_t max_attempts_;
};

}  // namespace batchllm
