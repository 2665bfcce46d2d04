// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"

#include <cstdint>
#include <optional>

namespace batchllm {

// Keeps to a number of units (requests or tokens) a minute: a bucket that refills evenly. A limit
// that the user set lets through at most one second's worth at once; one learnt from the provider's
// headers follows what they say is left. Time comes in as a value. Not thread-safe: network thread.
class RateLimiter {
 public:
  // nullopt: no limit until a response tells one.
  explicit RateLimiter(std::optional<std::int64_t> per_minute);

  // Takes `units` when they are there. A request larger than the whole bucket passes when it is
  // full.
  bool try_take(std::int64_t units, TimePoint now);

  // Gives back what was taken and not used.
  void give_back(std::int64_t units) noexcept;

  // When `units` will be there.
  TimePoint available_at(std::int64_t units, TimePoint now) const;

  // The provider said, when it took a request that was sent at `sent_at`: `limit` a minute,
  // `remaining` then. `units_sent_since` were sent after that request and are not counted in it.
  // When the limit is to be whole again only in more than a minute (`reset_ms`), it is one of a
  // longer time: it refills as fast as that says.
  void observe(std::int64_t limit,
               std::int64_t remaining,
               std::int64_t units_sent_since,
               TimePoint sent_at,
               TimePoint now,
               std::optional<std::int64_t> reset_ms = std::nullopt);

  bool is_limited() const noexcept { return rate_per_ms_ > 0; }

 private:
  void refill(TimePoint now);

  bool set_by_user_ = false;
  double rate_per_ms_ = 0;
  double capacity_ = 0;
  double level_ = 0;
  TimePoint refilled_at_{};
};

}  // namespace batchllm
