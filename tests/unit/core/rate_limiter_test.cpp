// SPDX-License-Identifier: Apache-2.0
#include "core/rate_limiter.h"

#include "tests/support/catch.h"

using namespace batchllm;

namespace {

constexpr TimePoint k_start{std::chrono::hours(1)};

TimePoint after_ms(std::int64_t ms) {
  return k_start + Milliseconds(ms);
}

}  // namespace

TEST_CASE("without a limit everything passes", "[rate_limiter]") {
  RateLimiter limiter(std::nullopt);
  CHECK_FALSE(limiter.is_limited());
  CHECK(limiter.try_take(1'000'000, k_start));
  CHECK(limiter.available_at(1'000'000, k_start) == k_start);
  CHECK_FALSE(RateLimiter(0).is_limited());
}

TEST_CASE("a user's limit lets one second's worth through at once, then an even stream",
          "[rate_limiter]") {
  RateLimiter limiter(600);  // ten a second
  for (int i = 0; i < 10; ++i) {
    CHECK(limiter.try_take(1, k_start));
  }
  CHECK_FALSE(limiter.try_take(1, k_start));
  CHECK(limiter.available_at(1, k_start) == after_ms(100));
  CHECK_FALSE(limiter.try_take(1, after_ms(99)));
  CHECK(limiter.try_take(1, after_ms(100)));
  // After a long pause there is one second's worth again, not more.
  int taken = 0;
  while (limiter.try_take(1, after_ms(600'000))) {
    ++taken;
  }
  CHECK(taken == 10);
}

TEST_CASE("over any minute no more is taken than the limit and one second's worth",
          "[rate_limiter]") {
  RateLimiter limiter(90);
  int taken = 0;
  for (TimePoint now = k_start; now < after_ms(60'000);
       now = std::max(now + Milliseconds(1), limiter.available_at(1, now))) {
    taken += limiter.try_take(1, now) ? 1 : 0;
  }
  CHECK(taken >= 89);
  CHECK(taken <= 92);
}

TEST_CASE("a wait that was computed is enough", "[rate_limiter]") {
  RateLimiter limiter(7);
  TimePoint now = k_start;
  CHECK(limiter.try_take(1, now));
  for (int i = 0; i < 50; ++i) {
    now = limiter.available_at(1, now);
    CAPTURE(i);
    REQUIRE(limiter.try_take(1, now));
  }
}

TEST_CASE("what is larger than the bucket passes when it is full, and is paid for afterwards",
          "[rate_limiter]") {
  RateLimiter limiter(60'000);  // a thousand a second
  CHECK(limiter.try_take(5000, k_start));
  CHECK_FALSE(limiter.try_take(1, after_ms(4000)));
  CHECK(limiter.try_take(1, after_ms(4001)));
}

TEST_CASE("what is given back can be taken again", "[rate_limiter]") {
  RateLimiter limiter(60);
  CHECK(limiter.try_take(1, k_start));
  CHECK_FALSE(limiter.try_take(1, k_start));
  limiter.give_back(1);
  CHECK(limiter.try_take(1, k_start));
  limiter.give_back(100);  // never above the bucket
  CHECK(limiter.try_take(1, k_start));
  CHECK_FALSE(limiter.try_take(1, k_start));
}

TEST_CASE("a limit is learnt from headers, and what was sent meanwhile is not counted twice",
          "[rate_limiter]") {
  RateLimiter limiter(std::nullopt);
  limiter.observe(600, 3, 1, k_start, k_start);
  CHECK(limiter.is_limited());
  CHECK(limiter.try_take(2, k_start));
  CHECK_FALSE(limiter.try_take(1, k_start));
  CHECK(limiter.available_at(1, k_start) == after_ms(100));
  // Said of 300 ms ago: three have refilled since.
  limiter.observe(600, 0, 0, k_start, after_ms(300));
  CHECK(limiter.try_take(3, after_ms(300)));
  CHECK_FALSE(limiter.try_take(1, after_ms(300)));
}

TEST_CASE("a limit of a day refills as slowly as its reset says", "[rate_limiter]") {
  RateLimiter limiter(std::nullopt);
  // 14,400 a day, of which 30 are used: back in three minutes.
  limiter.observe(14'400, 14'370, 0, k_start, k_start, 180'000);
  CHECK(limiter.try_take(14'370, k_start));
  CHECK(limiter.available_at(1, k_start) == after_ms(6000));
  // Of a minute's limit the reset says nothing that the limit does not say better.
  RateLimiter of_a_minute(std::nullopt);
  of_a_minute.observe(600, 0, 0, k_start, k_start, 60'000);
  CHECK(of_a_minute.available_at(1, k_start) == after_ms(100));
  of_a_minute.observe(600, 600, 0, k_start, k_start, 90'000);
  CHECK(of_a_minute.try_take(600, k_start));
  CHECK(of_a_minute.available_at(1, k_start) == after_ms(100));
}

TEST_CASE("the user's own limit is not loosened by headers, and nonsense teaches nothing",
          "[rate_limiter]") {
  RateLimiter limiter(60);
  limiter.observe(60'000, 60'000, 0, k_start, k_start);
  CHECK(limiter.try_take(1, k_start));
  CHECK_FALSE(limiter.try_take(1, k_start));
  RateLimiter learning(std::nullopt);
  learning.observe(0, 5, 0, k_start, k_start);
  learning.observe(-1, 5, 0, k_start, k_start);
  CHECK_FALSE(learning.is_limited());
}
