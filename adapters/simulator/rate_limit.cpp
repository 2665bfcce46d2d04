// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/rate_limit.h"

#include <fmt/format.h>

#include <xxhash.h>

#include <algorithm>
#include <cmath>

namespace batchllm::simulator {
namespace {

constexpr std::size_t k_most_keys = 4096;
constexpr double k_us_per_minute = 60e6;

// Microseconds in which `amount` flows into a bucket of `per_minute`.
std::int64_t refill_time_us(double amount, std::int64_t per_minute) {
  return amount <= 0 ? 0
                     : static_cast<std::int64_t>(
                           std::ceil(amount * k_us_per_minute / static_cast<double>(per_minute)));
}

LimitState state_of(double level, std::int64_t per_minute) {
  return {.limit = per_minute,
          .remaining = static_cast<std::int64_t>(std::max(0.0, level)),
          .full_in_us = refill_time_us(static_cast<double>(per_minute) - level, per_minute)};
}

}  // namespace

RateLimits::RateLimits(std::optional<std::int64_t> requests_per_minute,
                       std::optional<std::int64_t> tokens_per_minute)
    : requests_per_minute_(requests_per_minute),
      tokens_per_minute_(tokens_per_minute) {}

void RateLimits::refill(Buckets& buckets, std::int64_t now_us) const {
  const double minutes = static_cast<double>(now_us - buckets.filled_at_us) / k_us_per_minute;
  const auto fill = [minutes](double& level, const std::optional<std::int64_t>& per_minute) {
    const auto capacity = static_cast<double>(per_minute.value_or(0));
    level = std::min(capacity, level + capacity * std::max(0.0, minutes));
  };
  fill(buckets.requests, requests_per_minute_);
  fill(buckets.tokens, tokens_per_minute_);
  buckets.filled_at_us = now_us;
}

RateLimits::Buckets& RateLimits::buckets_of(std::string_view key, std::int64_t now_us) {
  const std::uint64_t hash = XXH3_64bits(key.data(), key.size());
  const auto found = buckets_.find(hash);
  if (found != buckets_.end()) {
    return found->second;
  }
  if (buckets_.size() >= k_most_keys) {
    buckets_.erase(std::min_element(buckets_.begin(), buckets_.end(), [](auto& a, auto& b) {
      return a.second.filled_at_us < b.second.filled_at_us;
    }));
  }
  return buckets_
      .emplace(hash,
               Buckets{.requests = static_cast<double>(requests_per_minute_.value_or(0)),
                       .tokens = static_cast<double>(tokens_per_minute_.value_or(0)),
                       .filled_at_us = now_us})
      .first->second;
}

RateVerdict RateLimits::charge(std::string_view key, std::int64_t tokens, std::int64_t now_us) {
  Buckets& buckets = buckets_of(key, now_us);
  refill(buckets, now_us);
  const auto cost = static_cast<double>(tokens);
  RateVerdict verdict;
  if (tokens_per_minute_ && tokens > *tokens_per_minute_) {
    verdict.refused = RateVerdict::Refused::too_large;
    verdict.used = 0;
  } else if (requests_per_minute_ && buckets.requests < 1) {
    verdict.refused = RateVerdict::Refused::requests;
    verdict.retry_after_us = refill_time_us(1 - buckets.requests, *requests_per_minute_);
    verdict.used = *requests_per_minute_ - static_cast<std::int64_t>(buckets.requests);
  } else if (tokens_per_minute_ && buckets.tokens < cost) {
    verdict.refused = RateVerdict::Refused::tokens;
    verdict.retry_after_us = refill_time_us(cost - buckets.tokens, *tokens_per_minute_);
    verdict.used = *tokens_per_minute_ - static_cast<std::int64_t>(buckets.tokens);
  } else {
    buckets.requests -= 1;
    buckets.tokens -= cost;
  }
  if (requests_per_minute_) {
    verdict.requests = state_of(buckets.requests, *requests_per_minute_);
  }
  if (tokens_per_minute_) {
    verdict.tokens = state_of(buckets.tokens, *tokens_per_minute_);
  }
  return verdict;
}

std::string reset_text(std::int64_t us) {
  const std::int64_t ms = (us + 999) / 1000;
  if (ms == 0) {
    return "0s";
  }
  if (ms < 1000) {
    return fmt::format("{}ms", ms);
  }
  const std::int64_t hours = ms / 3'600'000;
  const std::int64_t minutes = ms / 60'000 % 60;
  std::string seconds = fmt::format("{}", static_cast<double>(ms % 60'000) / 1000.0) + "s";
  if (hours > 0) {
    return fmt::format("{}h{}m{}", hours, minutes, seconds);
  }
  return minutes > 0 ? fmt::format("{}m{}", minutes, seconds) : seconds;
}

}  // namespace batchllm::simulator
