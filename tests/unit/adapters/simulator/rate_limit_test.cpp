// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/rate_limit.h"

#include "tests/support/catch.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

using namespace batchllm::simulator;
using Refused = RateVerdict::Refused;

namespace {

constexpr std::int64_t k_second = 1'000'000;

}  // namespace

TEST_CASE("requests beyond the limit wait for the bucket to refill", "[simulator]") {
  RateLimits limits(60, std::nullopt);
  for (int i = 0; i < 60; ++i) {
    const RateVerdict verdict = limits.charge("key", 1, 0);
    REQUIRE(verdict.refused == Refused::no);
    CHECK(verdict.requests->remaining == 59 - i);
  }
  const RateVerdict refused = limits.charge("key", 1, 0);
  CHECK(refused.refused == Refused::requests);
  CHECK(refused.retry_after_us == k_second);
  CHECK(refused.requests->full_in_us == 60 * k_second);
  CHECK(limits.charge("another key", 1, 0).refused == Refused::no);
  CHECK(limits.charge("key", 1, k_second - 1000).refused == Refused::requests);
  CHECK(limits.charge("key", 1, k_second).refused == Refused::no);
}

TEST_CASE("tokens have a bucket of their own", "[simulator]") {
  RateLimits limits(std::nullopt, 600);
  CHECK(limits.charge("key", 500, 0).refused == Refused::no);
  const RateVerdict refused = limits.charge("key", 200, 0);
  CHECK(refused.refused == Refused::tokens);
  CHECK(refused.retry_after_us == 10 * k_second);
  CHECK(limits.charge("key", 100, 0).refused == Refused::no);
  CHECK(limits.charge("key", 601, 100 * k_second).refused == Refused::too_large);
}

TEST_CASE("keys are forgotten before they fill the memory", "[simulator]") {
  RateLimits limits(1, std::nullopt);
  for (std::int64_t i = 0; i < 10'000; ++i) {
    CHECK(limits.charge(std::to_string(i), 1, i).refused == Refused::no);
  }
  CHECK(limits.charge("9999", 1, 10'000).refused == Refused::requests);
}

TEST_CASE("reset times are Go durations", "[simulator]") {
  struct Case {
    std::int64_t us;
    std::string_view text;
  };

  const auto& c = GENERATE(values<Case>({
      {0, "0s"},
      {1, "1ms"},
      {120'000, "120ms"},
      {k_second, "1s"},
      {7'660'000, "7.66s"},
      {360 * k_second, "6m0s"},
      {3723 * k_second, "1h2m3s"},
  }));
  CHECK(reset_text(c.us) == c.text);
}
