// SPDX-License-Identifier: Apache-2.0
#include "core/schedule_policy.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <algorithm>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

constexpr std::int64_t k_second = 1000;
constexpr std::int64_t k_minute = 60 * k_second;
constexpr std::int64_t k_hour = 60 * k_minute;
constexpr std::int64_t k_day = 24 * k_hour;
constexpr std::int64_t k_noon = 20'000 * k_day + 12 * k_hour;

// Slots at every multiple of `period`.
auto every(std::int64_t period) {
  return [period](std::int64_t after) -> std::optional<std::int64_t> {
    return (after / period + 1) * period;
  };
}

auto at_times(std::vector<std::int64_t> times) {
  return [times = std::move(times)](std::int64_t after) -> std::optional<std::int64_t> {
    const auto next = std::upper_bound(times.begin(), times.end(), after);
    return next == times.end() ? std::nullopt : std::optional(*next);
  };
}

constexpr auto fire = ScheduleAction::fire;
constexpr auto skip = ScheduleAction::skip;
constexpr auto wait = ScheduleAction::wait;
constexpr auto none = MissedPolicy::none;
constexpr auto latest = MissedPolicy::latest;

}  // namespace

TEST_CASE("a schedule fires at most the latest due slot, whatever the clock did", "[schedule]") {
  struct Case {
    std::string what;
    std::int64_t settled;  // after noon
    std::int64_t now;      // after noon
    std::int64_t period;
    MissedPolicy missed;
    ScheduleAction action;
    std::int64_t slot;  // after noon; of the next one when waiting
  };

  const std::vector<Case> cases = {
      {"before its time", 0, 59 * k_minute, k_hour, latest, wait, k_hour},
      {"one millisecond early", 0, k_hour - 1, k_hour, latest, wait, k_hour},
      {"on time", 0, k_hour, k_hour, latest, fire, k_hour},
      {"on time, no catching up", 0, k_hour, k_hour, none, fire, k_hour},
      {"a second late", 0, k_hour + k_second, k_hour, none, fire, k_hour},
      {"as late as is on time", 0, k_hour + k_on_time_ms, k_hour, none, fire, k_hour},
      {"later than on time", 0, k_hour + k_on_time_ms + 1, k_hour, none, skip, k_hour},
      {"later, catching up", 0, k_hour + k_on_time_ms + 1, k_hour, latest, fire, k_hour},
      {"just fired", k_hour, k_hour, k_hour, latest, wait, 2 * k_hour},
      {"an hour forward", 0, k_hour + 30 * k_minute, k_hour, latest, fire, k_hour},
      {"an hour forward, none", 0, k_hour + 30 * k_minute, k_hour, none, skip, k_hour},
      {"a day forward", 0, k_day + 5 * k_minute, k_hour, latest, fire, k_day},
      {"a day forward, none", 0, k_day + 5 * k_minute, k_hour, none, skip, k_day},
      {"a day forward onto a slot, none", 0, k_day, k_hour, none, fire, k_day},
      {"a year down, every minute", 0, 365 * k_day + 7, k_minute, latest, fire, 365 * k_day},
      {"a year down, daily", 0, 365 * k_day + 1, k_day, latest, fire, 364 * k_day + k_day / 2},
      {"an hour back", k_hour, 0, k_hour, latest, wait, 2 * k_hour},
      {"an hour back, then the same slot", k_hour, k_hour + 5, k_hour, latest, wait, 2 * k_hour},
      {"an hour back, then the next", k_hour, 2 * k_hour, k_hour, latest, fire, 2 * k_hour},
      {"a day back", k_day, 0, k_hour, latest, wait, k_day + k_hour},
      {"a day back, none", k_day, 0, k_hour, none, wait, k_day + k_hour},
      {"two days back", 2 * k_day, 0, k_hour, latest, wait, 2 * k_day + k_hour},
      {"from a wrong year back", 1000 * k_day, 0, k_hour, latest, wait, k_hour},
  };
  for (const auto& one : cases) {
    CAPTURE(one.what);
    const ScheduleDecision decision = decide_schedule(
        {.now_ms = k_noon + one.now, .settled_ms = k_noon + one.settled, .missed = one.missed},
        every(one.period));
    CHECK(decision.action == one.action);
    REQUIRE(decision.wake_ms);
    CHECK(*decision.wake_ms > k_noon + one.now);
    if (one.action == wait) {
      CHECK(*decision.wake_ms == k_noon + one.slot);
      CHECK(decision.settled_ms == std::min(k_noon + one.settled, *decision.wake_ms - k_hour));
    } else {
      CHECK(decision.slot_ms == k_noon + one.slot);
      CHECK(decision.settled_ms == decision.slot_ms);
      CHECK(decision.slot_ms <= k_noon + one.now);
      CHECK(decision.passed_over_others == (one.slot - one.settled > one.period));
    }
    CHECK((decision.action == skip) == (decision.reason == SkipReason::missed));
  }
}

TEST_CASE("a slot that comes due while a job is active does what the policy says", "[schedule]") {
  struct Case {
    OverlapPolicy overlap;
    bool active;
    bool waiting;
    ScheduleAction action;
    SkipReason reason;
    bool behind;
  };

  const std::vector<Case> cases = {
      {OverlapPolicy::skip, false, false, fire, SkipReason::none, false},
      {OverlapPolicy::skip, true, false, skip, SkipReason::still_active, false},
      {OverlapPolicy::queue_one, false, false, fire, SkipReason::none, false},
      {OverlapPolicy::queue_one, true, false, fire, SkipReason::none, true},
      {OverlapPolicy::queue_one, true, true, skip, SkipReason::queue_full, false},
      {OverlapPolicy::allow, false, false, fire, SkipReason::none, false},
      {OverlapPolicy::allow, true, false, fire, SkipReason::none, false},
      {OverlapPolicy::allow, true, true, fire, SkipReason::none, false},
  };
  for (const auto& one : cases) {
    CAPTURE(overlap_policy_name(one.overlap), one.active, one.waiting);
    const ScheduleDecision decision = decide_schedule({.now_ms = k_noon + k_hour,
                                                       .settled_ms = k_noon,
                                                       .overlap = one.overlap,
                                                       .is_job_active = one.active,
                                                       .is_job_waiting = one.waiting},
                                                      every(k_hour));
    CHECK(decision.action == one.action);
    CHECK(decision.reason == one.reason);
    CHECK(decision.queues_behind == one.behind);
    CHECK(decision.settled_ms == k_noon + k_hour);
    CHECK(skip_reason_text(decision.reason).empty() == (one.reason == SkipReason::none));
  }
}

TEST_CASE("a missed slot that is not made up for is missed even when a job is active",
          "[schedule]") {
  const ScheduleDecision decision = decide_schedule({.now_ms = k_noon + k_hour + 2 * k_minute,
                                                     .settled_ms = k_noon,
                                                     .missed = none,
                                                     .is_job_active = true},
                                                    every(k_hour));
  CHECK(decision.reason == SkipReason::missed);
}

TEST_CASE("a schedule without a further slot fires its last and then waits for nothing",
          "[schedule]") {
  const auto slots = at_times({k_noon + k_hour});
  const ScheduleDecision last =
      decide_schedule({.now_ms = k_noon + k_hour, .settled_ms = k_noon}, slots);
  CHECK(last.action == fire);
  CHECK_FALSE(last.wake_ms);
  const ScheduleDecision over =
      decide_schedule({.now_ms = k_noon + k_day, .settled_ms = k_noon + k_hour}, slots);
  CHECK(over.action == wait);
  CHECK_FALSE(over.wake_ms);
}

TEST_CASE("the latest due slot of unevenly spread ones is found", "[schedule]") {
  const std::vector<std::int64_t> times = {
      k_noon + 1, k_noon + 2, k_noon + 3, k_noon + k_day, k_noon + k_day + 1, k_noon + 90 * k_day};
  for (const std::int64_t now : times) {
    for (const std::int64_t late : {std::int64_t{0}, std::int64_t{0} + k_hour}) {
      const auto expected = std::upper_bound(times.begin(), times.end(), now + late) - 1;
      const ScheduleDecision decision =
          decide_schedule({.now_ms = now + late, .settled_ms = k_noon}, at_times(times));
      CHECK(decision.action == fire);
      CHECK(decision.slot_ms == *expected);
    }
  }
}

TEST_CASE("however long the daemon was down, few questions find the slot to fire", "[schedule]") {
  int questions = 0;
  const auto slots = [&](std::int64_t after) -> std::optional<std::int64_t> {
    ++questions;
    return every(k_minute)(after);
  };
  const ScheduleDecision decision =
      decide_schedule({.now_ms = k_noon + 3650 * k_day, .settled_ms = k_noon}, slots);
  CHECK(decision.slot_ms == k_noon + 3650 * k_day);
  CHECK(questions < 50);
}

namespace {

// A daemon that looks at each of `looks`, storing what it is told to.
std::vector<std::int64_t> fired_slots(const std::vector<std::int64_t>& looks) {
  std::vector<std::int64_t> fired;
  std::int64_t settled = k_noon;
  for (const std::int64_t look : looks) {
    const ScheduleDecision decision =
        decide_schedule({.now_ms = k_noon + look, .settled_ms = settled}, every(k_hour));
    settled = decision.settled_ms;
    if (decision.action == fire) {
      fired.push_back(decision.slot_ms - k_noon);
    }
  }
  return fired;
}

}  // namespace

TEST_CASE("a clock that jumps there and back fires no slot twice and none of the future",
          "[schedule]") {
  using Slots = std::vector<std::int64_t>;
  // An hour forward and back again: the slot fired meanwhile is not due again.
  CHECK(fired_slots({k_minute, k_hour + k_minute, 2 * k_minute, k_hour, 2 * k_hour}) ==
        Slots{k_hour, 2 * k_hour});
  // A day forward: one catch-up; back: silence until the clock is there again.
  CHECK(fired_slots({k_minute, k_day, 1, k_hour, 23 * k_hour, k_day, k_day + k_hour}) ==
        Slots{k_day, k_day + k_hour});
  // A day back.
  CHECK(fired_slots({k_hour, k_hour - k_day, 0, k_hour, 2 * k_hour}) == Slots{k_hour, 2 * k_hour});
  // A clock that was years ahead does not silence the schedule for years.
  CHECK(fired_slots({1000 * k_day, 5, k_hour, 2 * k_hour}) ==
        Slots{1000 * k_day, k_hour, 2 * k_hour});
}

TEST_CASE("the policies of schedules have names", "[schedule]") {
  for (const auto policy : {MissedPolicy::none, MissedPolicy::latest}) {
    CHECK(parse_missed_policy(missed_policy_name(policy)) == policy);
  }
  for (const auto policy : {OverlapPolicy::skip, OverlapPolicy::queue_one, OverlapPolicy::allow}) {
    CHECK(parse_overlap_policy(overlap_policy_name(policy)) == policy);
  }
  const auto error = thrown_error([] { parse_overlap_policy("queue-one"); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  CHECK_THAT(error->hint(), ContainsSubstring("queue_one"));
  CHECK_THAT(thrown_error([] { parse_missed_policy("all"); })->hint(),
             ContainsSubstring("none and latest"));
}
