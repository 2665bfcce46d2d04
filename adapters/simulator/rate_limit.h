// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace batchllm::simulator {

// What is said about one limit in the headers of an answer.
struct LimitState {
  std::int64_t limit = 0;  // per minute
  std::int64_t remaining = 0;
  std::int64_t full_in_us = 0;  // until nothing is used up any more
};

struct RateVerdict {
  enum class Refused : std::uint8_t { no, requests, tokens, too_large };

  Refused refused = Refused::no;
  std::int64_t retry_after_us = 0;  // until this request would be let through
  std::int64_t used = 0;            // of the limit that refused
  std::optional<LimitState> requests;
  std::optional<LimitState> tokens;
};

// OpenAI's limits: for each API key a bucket of requests and one of tokens that refill evenly over
// a minute. Keys are remembered up to a bound; the one that was idle longest is forgotten first (it
// is the likeliest to have full buckets). Time comes in as a value. Not thread-safe.
class RateLimits {
 public:
  RateLimits(std::optional<std::int64_t> requests_per_minute,
             std::optional<std::int64_t> tokens_per_minute);

  bool any() const noexcept { return requests_per_minute_ || tokens_per_minute_; }

  // Charges one request of `tokens` tokens to `key`, or refuses it and charges nothing.
  RateVerdict charge(std::string_view key, std::int64_t tokens, std::int64_t now_us);

 private:
  struct Buckets {
    double requests = 0;
    double tokens = 0;
    std::int64_t filled_at_us = 0;
  };

  Buckets& buckets_of(std::string_view key, std::int64_t now_us);
  void refill(Buckets& buckets, std::int64_t now_us) const;

  std::optional<std::int64_t> requests_per_minute_;
  std::optional<std::int64_t> tokens_per_minute_;
  std::unordered_map<std::uint64_t, Buckets> buckets_;  // by hash of the key
};

// Microseconds as OpenAI writes them: "0s", "120ms", "7.66s", "6m0s", "1h2m3s".
std::string reset_text(std::int64_t us);

}  // namespace batchllm::simulator
