// SPDX-License-Identifier: Apache-2.0
#include "adapters/time/next_run.h"

#include "core/schedule_policy.h"
#include "core/text.h"
#include "core/time_text.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

constexpr std::int64_t k_minute_s = 60;

std::int64_t moment(std::string_view text) {
  return *parse_rfc3339(text);
}

// The next runs after `after` as "MM-DD HH:MM" in UTC.
std::string next_runs(std::string_view expression,
                      std::string_view zone,
                      std::string_view after,
                      int count) {
  const CronExpression cron = CronExpression::parse(expression);
  const TimeZone place = TimeZone::find(zone);
  std::int64_t time_ms = moment(after);
  std::string text;
  for (int i = 0; i < count; ++i) {
    const auto next = next_run(cron, place, time_ms);
    if (!next) {
      return text + "; never";
    }
    time_ms = *next;
    const std::string shown = rfc3339_text(time_ms);
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", shown.substr(5, 5), shown.substr(11, 5));
  }
  return text;
}

}  // namespace

TEST_CASE("the next runs over changes of the clocks are the known ones", "[cron]") {
  struct Case {
    std::string expression;
    std::string zone;
    std::string after;
    std::string runs;  // UTC
  };

  const std::vector<Case> cases = {
      // New York goes from 02:00 to 03:00 on 8 March 2026 (07:00 UTC).
      {"30 2 * * *",
       "America/New_York",
       "2026-03-07T00:00:00Z",
       "03-07 07:30, 03-08 07:00, 03-09 06:30"},
      {"0,15,30 2 * * *",
       "America/New_York",
       "2026-03-08T06:59:59.999Z",
       "03-08 07:00, 03-09 06:00"},
      {"0 2,3 * * *", "America/New_York", "2026-03-08T05:00:00Z", "03-08 07:00, 03-09 06:00"},
      {"30 2,3 * * *",
       "America/New_York",
       "2026-03-08T05:00:00Z",
       "03-08 07:00, 03-08 07:30, 03-09 06:30"},
      {"*/20 1-3 * * *",
       "America/New_York",
       "2026-03-08T06:30:00Z",
       "03-08 06:40, 03-08 07:00, 03-08 07:20, 03-08 07:40, 03-09 05:00"},
      {"30 * * * *",
       "America/New_York",
       "2026-03-08T06:00:00Z",
       "03-08 06:30, 03-08 07:30, 03-08 08:30"},
      {"0 */2 * * *",
       "America/New_York",
       "2026-03-08T04:30:00Z",
       "03-08 05:00, 03-08 07:00, 03-08 08:00, 03-08 10:00"},
      {"*/30 * * * *",
       "America/New_York",
       "2026-03-08T06:15:00Z",
       "03-08 06:30, 03-08 07:00, 03-08 07:30, 03-08 08:00"},
      // And from 02:00 back to 01:00 on 1 November (06:00 UTC).
      {"30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "11-01 05:30, 11-02 06:30"},
      {"30 1 * * *", "America/New_York", "2026-11-01T05:45:00Z", "11-02 06:30, 11-03 06:30"},
      {"0 1,2 * * *",
       "America/New_York",
       "2026-11-01T00:00:00Z",
       "11-01 05:00, 11-01 07:00, 11-02 06:00"},
      {"*/30 1 * * *", "America/New_York", "2026-11-01T05:15:00Z", "11-01 05:30, 11-02 06:00"},
      {"30 * * * *",
       "America/New_York",
       "2026-11-01T05:00:00Z",
       "11-01 05:30, 11-01 06:30, 11-01 07:30"},
      {"*/20 * * * *",
       "America/New_York",
       "2026-11-01T05:30:00Z",
       "11-01 05:40, 11-01 06:00, 11-01 06:20, 11-01 06:40, 11-01 07:00"},
      {"0 1-3/2 * * *",
       "America/New_York",
       "2026-11-01T00:00:00Z",
       "11-01 05:00, 11-01 06:00, 11-01 08:00"},
      // Berlin: 29 March 2026 01:00 UTC, 25 October 01:00 UTC.
      {"30 2 * * SUN", "Europe/Berlin", "2026-03-23T00:00:00Z", "03-29 01:00, 04-05 00:30"},
      {"30 2 29 3 *", "Europe/Berlin", "2026-01-01T00:00:00Z", "03-29 01:00, 03-29 00:30"},
      {"0 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "10-25 02:00, 10-26 02:00"},
      {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "10-25 00:30, 10-26 01:30"},
      {"0 12 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", "10-24 10:00, 10-25 11:00"},
      {"15 * * * *",
       "Europe/Berlin",
       "2026-10-24T23:30:00Z",
       "10-25 00:15, 10-25 01:15, 10-25 02:15"},
      // Lord Howe moves by half an hour: 02:00 to 02:30 on 4 October 2026 (15:30 UTC the day
      // before), 02:00 back to 01:30 on 5 April (15:00 UTC the day before).
      {"15 2 * * *", "Australia/Lord_Howe", "2026-10-02T20:00:00Z", "10-03 15:30, 10-04 15:15"},
      {"30 2 * * *", "Australia/Lord_Howe", "2026-10-02T20:00:00Z", "10-03 15:30, 10-04 15:30"},
      {"0 * * * *",
       "Australia/Lord_Howe",
       "2026-10-03T14:00:00Z",
       "10-03 14:30, 10-03 15:30, 10-03 16:00"},
      {"*/30 * * * *",
       "Australia/Lord_Howe",
       "2026-10-03T14:40:00Z",
       "10-03 15:00, 10-03 15:30, 10-03 16:00"},
      {"45 1 * * *", "Australia/Lord_Howe", "2026-04-03T20:00:00Z", "04-04 14:45, 04-05 15:15"},
      {"45 * * * *",
       "Australia/Lord_Howe",
       "2026-04-04T14:00:00Z",
       "04-04 14:45, 04-04 15:15, 04-04 16:15"},
      // Kathmandu is 5:45 ahead and never changes.
      {"0 0 * * *", "Asia/Kathmandu", "2026-11-21T00:00:00Z", "11-21 18:15, 11-22 18:15"},
      {"*/15 * * * *", "Asia/Kathmandu", "2026-11-21T00:05:00Z", "11-21 00:15, 11-21 00:30"},
      {"0 0 1 1 *", "Asia/Kathmandu", "2026-06-01T00:00:00Z", "12-31 18:15"},
      // Casablanca is an hour behind itself in Ramadan: back at 02:00 UTC on 10 March 2024, forward
      // at 02:00 UTC on 14 April.
      {"30 2 * * *", "Africa/Casablanca", "2024-03-09T12:00:00Z", "03-10 01:30, 03-11 02:30"},
      {"30 2 * * *", "Africa/Casablanca", "2024-04-13T12:00:00Z", "04-14 02:00, 04-15 01:30"},
      {"30 * * * *",
       "Africa/Casablanca",
       "2024-03-10T01:00:00Z",
       "03-10 01:30, 03-10 02:30, 03-10 03:30"},
      // Samoa went over the date line: no 30 December 2011. 29 December ends at 10:00 UTC on the
      // 30th.
      {"0 9 * * *",
       "Pacific/Apia",
       "2011-12-28T12:00:00Z",
       "12-28 19:00, 12-29 19:00, 12-30 10:00, 12-30 19:00, 12-31 19:00"},
      {"0 9 30 12 *", "Pacific/Apia", "2011-06-01T00:00:00Z", "12-30 10:00, 12-29 19:00"},
      {"0 0 31 12 *", "Pacific/Apia", "2011-06-01T00:00:00Z", "12-30 10:00, 12-30 10:00"},
      {"0 * * * *",
       "Pacific/Apia",
       "2011-12-30T08:30:00Z",
       "12-30 09:00, 12-30 10:00, 12-30 11:00"},
      // Sao Paulo had no midnight on 4 November 2018 (03:00 UTC).
      {"0 0 * * *",
       "America/Sao_Paulo",
       "2018-11-03T00:00:00Z",
       "11-03 03:00, 11-04 03:00, 11-05 02:00"},
      {"30 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", "11-04 03:00, 11-05 02:30"},
      {"0 0 4 11 *", "America/Sao_Paulo", "2018-10-01T00:00:00Z", "11-04 03:00"},
      {"59 23 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", "11-04 02:59, 11-05 01:59"},
      {"0 */12 * * *", "America/Sao_Paulo", "2018-11-03T20:00:00Z", "11-04 03:00, 11-04 14:00"},
      // UTC has no changes, but leap years and years' ends.
      {"0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", "02-29 00:00, 02-29 00:00"},
      {"59 23 31 12 *", "UTC", "2026-12-31T23:58:59.999Z", "12-31 23:59, 12-31 23:59"},
      {"* * * * *", "UTC", "2026-12-31T23:59:00Z", "01-01 00:00, 01-01 00:01"},
      {"0 0 L * *", "UTC", "2028-01-31T00:00:00Z", "02-29 00:00, 03-31 00:00"},
      {"* * * * *", "UTC", "1969-12-31T23:58:30Z", "12-31 23:59, 01-01 00:00"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.expression, one.zone, one.after);
    const auto count = static_cast<int>(split(one.runs, ',').size());
    CHECK(next_runs(one.expression, one.zone, one.after, count) == one.runs);
  }
}

TEST_CASE("a run is later than the millisecond asked for, and whole seconds", "[cron]") {
  const CronExpression cron = CronExpression::parse("0 12 * * *");
  const std::int64_t noon = moment("2026-11-21T12:00:00Z");
  CHECK(next_run(cron, TimeZone::utc(), noon - 1) == noon);
  CHECK(next_run(cron, TimeZone::utc(), noon) == noon + 86'400'000);
  CHECK(next_run(cron, TimeZone::utc(), noon + 1) == noon + 86'400'000);
}

TEST_CASE("at the ends of the calendar there is a first run and no last one", "[cron]") {
  const CronExpression cron = CronExpression::parse("0 12 * * *");
  for (const std::string zone : {"UTC", "Europe/Berlin", "Pacific/Apia"}) {
    const TimeZone place = TimeZone::find(zone);
    const auto first = next_run(cron, place, std::numeric_limits<std::int64_t>::min());
    REQUIRE(first);
    CHECK(*first >= k_earliest_time_ms);
    CHECK_FALSE(next_run(cron, place, std::numeric_limits<std::int64_t>::max()));
    CHECK_FALSE(next_run(cron, place, k_latest_time_ms));
  }
}

TEST_CASE("a schedule over changes of the clocks fires each slot once", "[cron][schedule]") {
  const CronExpression cron = CronExpression::parse("30 2 * * *");
  const TimeZone berlin = TimeZone::find("Europe/Berlin");
  const auto next_slot = [&](std::int64_t after) { return next_run(cron, berlin, after); };
  for (const std::string start : {"2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"}) {
    std::int64_t settled = moment(start);
    int fired = 0;
    // Looked at every 10 minutes for three days.
    for (std::int64_t now = settled; now < moment(start) + 3 * 86'400'000; now += 600'000) {
      const ScheduleDecision decision =
          decide_schedule({.now_ms = now, .settled_ms = settled}, next_slot);
      settled = decision.settled_ms;
      fired += decision.action == ScheduleAction::fire ? 1 : 0;
    }
    CHECK(fired == 3);
  }
}

namespace {

// The C library's own reading of the time zone database.
class LibraryZone {
 public:
  explicit LibraryZone(const std::string& name) {
    if (const char* before = std::getenv("TZ")) {
      before_ = before;
    }
    ::setenv("TZ", name.c_str(), 1);
    ::tzset();
  }

  ~LibraryZone() {
    if (before_) {
      ::setenv("TZ", before_->c_str(), 1);
    } else {
      ::unsetenv("TZ");
    }
    ::tzset();
  }

  LibraryZone(const LibraryZone&) = delete;
  LibraryZone& operator=(const LibraryZone&) = delete;

  std::int64_t civil(std::int64_t utc_s) const {
    std::tm parts{};
    const std::time_t time = utc_s;
    ::localtime_r(&time, &parts);
    return ::timegm(&parts);
  }

 private:
  std::optional<std::string> before_;
};

bool matches(const CronExpression& cron, std::int64_t civil_s) {
  return cron.matches(CivilMinute{std::chrono::minutes{civil_s / k_minute_s}});
}

// Every run in [begin, end), by looking at each minute and what the clocks show in it. In effect
// the same rules, the other way round: from the moment to the slot.
std::vector<std::int64_t> scan(const CronExpression& cron,
                               const LibraryZone& zone,
                               std::int64_t begin_s,
                               std::int64_t end_s) {
  std::vector<std::int64_t> runs;
  std::int64_t latest_shown = zone.civil(begin_s - k_minute_s);
  std::int64_t skipped_until = 0;  // UTC; until then a repeating slot is made up for
  std::int64_t skipped = 0;
  for (std::int64_t time_s = begin_s; time_s < end_s; time_s += k_minute_s) {
    const std::int64_t shown = zone.civil(time_s);
    const std::int64_t step = shown - zone.civil(time_s - k_minute_s);
    bool fires = false;
    if (step > k_minute_s) {
      skipped = step - k_minute_s;
      skipped_until = time_s + skipped;
      for (std::int64_t gone = shown - skipped; gone < shown; gone += k_minute_s) {
        fires = fires || (!cron.hours_repeat() && matches(cron, gone));
      }
    }
    if (cron.hours_repeat()) {
      fires = matches(cron, shown) || (time_s < skipped_until && matches(cron, shown - skipped));
    } else {
      fires = fires || (shown > latest_shown && matches(cron, shown));
    }
    latest_shown = std::max(latest_shown, shown);
    if (fires) {
      runs.push_back(time_s * 1000);
    }
  }
  return runs;
}

std::string random_expression(std::mt19937& random) {
  const auto pick = [&](const std::vector<std::string>& texts) {
    return texts[std::uniform_int_distribution<std::size_t>(0, texts.size() - 1)(random)];
  };
  return pick({"*", "0", "30", "*/15", "7,37", "45-50", "*/7"}) + ' ' +
         pick({"*", "*/2", "*/3", "0", "1", "2", "3", "1-3", "0,2", "1-5/2", "0-2", "23", "9"}) +
         ' ' + pick({"*", "*", "*", "L", "1-15", "*/2"}) + " * " +
         pick({"*", "*", "*", "SUN", "MON-FRI", "SUN#1,SUNL"});
}

}  // namespace

TEST_CASE("the runs of random expressions are those that a scan of every minute finds", "[cron]") {
  struct Change {
    std::string zone;
    std::string begin;
  };

  // Four days around a change each.
  const std::vector<Change> changes = {
      {"America/New_York", "2026-03-06T00:00:00Z"},
      {"America/New_York", "2026-10-30T00:00:00Z"},
      {"Europe/Berlin", "2026-03-27T00:00:00Z"},
      {"Europe/Berlin", "2026-10-23T00:00:00Z"},
      {"Australia/Lord_Howe", "2026-10-02T00:00:00Z"},
      {"Australia/Lord_Howe", "2026-04-03T00:00:00Z"},
      {"Asia/Kathmandu", "1985-12-30T00:00:00Z"},
      {"Africa/Casablanca", "2024-03-08T00:00:00Z"},
      {"Africa/Casablanca", "2024-04-12T00:00:00Z"},
      {"Pacific/Apia", "2011-12-28T00:00:00Z"},
      {"America/Sao_Paulo", "2018-11-02T00:00:00Z"},
      {"America/Sao_Paulo", "2018-02-16T00:00:00Z"},
      {"UTC", "2028-02-27T00:00:00Z"},
      {"Europe/Berlin", "2087-10-24T00:00:00Z"},
  };
  std::mt19937 random(4242);
  std::size_t compared = 0;
  for (const auto& change : changes) {
    const LibraryZone library(change.zone);
    const TimeZone zone = TimeZone::find(change.zone);
    const std::int64_t begin_s = moment(change.begin) / 1000;
    const std::int64_t end_s = begin_s + 4 * 86'400;
    for (int round = 0; round < 12; ++round) {
      const CronExpression cron = CronExpression::parse(random_expression(random));
      CAPTURE(change.zone, change.begin, cron.text());
      std::vector<std::int64_t> runs;
      auto next = next_run(cron, zone, begin_s * 1000 - 1);
      for (; next && *next < end_s * 1000; next = next_run(cron, zone, *next)) {
        runs.push_back(*next);
      }
      REQUIRE(runs == scan(cron, library, begin_s, end_s));
      compared += runs.size();
    }
  }
  CHECK(compared > 5'000);
}
