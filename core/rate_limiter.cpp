// SPDX-License-Identifier: Apache-2.0
#include "core/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace batchllm {
namespace {

constexpr double k_ms_per_minute = 60'000;
constexpr double k_ms_per_second = 1'000;

}  // namespace

RateLimiter::RateLimiter(std::optional<std::int64_t> per_minute) {
  if (per_minute && *per_minute > 0) {
    set_by_user_ = true;
    rate_per_ms_ = static_cast<double>(*per_minute) / k_ms_per_minute;
    capacity_ = std::max(1.0, rate_per_ms_ * k_ms_per_second);
    level_ = capacity_;
  }
}

void RateLimiter::refill(TimePoint now) {
  if (refilled_at_ != TimePoint{} && now > refilled_at_) {
    const std::chrono::duration<double, std::milli> passed = now - refilled_at_;
    level_ = std::min(capacity_, level_ + passed.count() * rate_per_ms_);
  }
  refilled_at_ = std::max(refilled_at_, now);
}

bool RateLimiter::try_take(std::int64_t units, TimePoint now) {
  if (!is_limited()) {
    return true;
  }
  refill(now);
  const double needed = std::min(static_cast<double>(units), capacity_);
  // The small amount forgives the rounding of clocks, so that a wait that was computed is enough.
  if (level_ + 1e-6 < needed) {
    return false;
  }
  level_ -= static_cast<double>(units);
  return true;
}

void RateLimiter::give_back(std::int64_t units) noexcept {
  if (is_limited()) {
    level_ = std::min(capacity_, level_ + static_cast<double>(units));
  }
}

TimePoint RateLimiter::available_at(std::int64_t units, TimePoint now) const {
  if (!is_limited()) {
    return now;
  }
  const double needed = std::min(static_cast<double>(units), capacity_);
  const TimePoint from = refilled_at_ == TimePoint{} ? now : refilled_at_;
  const double missing = needed - level_;
  if (missing <= 0) {
    return now;
  }
  return std::max(
      now, from + Milliseconds(static_cast<std::int64_t>(std::ceil(missing / rate_per_ms_))));
}

void RateLimiter::observe(std::int64_t limit,
                          std::int64_t remaining,
                          std::int64_t units_sent_since,
                          TimePoint sent_at,
                          TimePoint now,
                          std::optional<std::int64_t> reset_ms) {
  if (limit <= 0 || set_by_user_) {
    return;
  }
  rate_per_ms_ = static_cast<double>(limit) / k_ms_per_minute;
  if (reset_ms && static_cast<double>(*reset_ms) > k_ms_per_minute && remaining < limit) {
    rate_per_ms_ = static_cast<double>(limit - remaining) / static_cast<double>(*reset_ms);
  }
  capacity_ = static_cast<double>(limit);
  const std::chrono::duration<double, std::milli> since = now - sent_at;
  level_ = std::min(
      capacity_, static_cast<double>(remaining - units_sent_since) + since.count() * rate_per_ms_);
  refilled_at_ = now;
}

}  // namespace batchllm
