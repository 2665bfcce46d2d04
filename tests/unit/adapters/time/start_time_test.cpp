// SPDX-License-Identifier: Apache-2.0
#include "adapters/time/start_time.h"

#include "core/error.h"
#include "core/time_text.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <string>
#include <vector>

using namespace batchllm;

namespace {

std::string start_text(std::string_view text, std::string_view zone, std::string_view now) {
  return rfc3339_text(parse_start_time(text, TimeZone::find(zone), *parse_rfc3339(now)));
}

}  // namespace

TEST_CASE("a start time is the moment a person means", "[time]") {
  struct Case {
    std::string text;
    std::string zone;
    std::string now;
    std::string moment;
  };

  const std::string now = "2026-11-21T15:45:13.250Z";  // 16:45 in Berlin
  const std::vector<Case> cases = {
      {"2026-11-22T02:00:00+01:00", "UTC", now, "2026-11-22T01:00:00.000Z"},
      {"2026-11-22 02:00:00Z", "Europe/Berlin", now, "2026-11-22T02:00:00.000Z"},
      {"2026-11-22 02:00", "Europe/Berlin", now, "2026-11-22T01:00:00.000Z"},
      {"2026-11-22T02:00:30", "Europe/Berlin", now, "2026-11-22T01:00:30.000Z"},
      {"02:00", "Europe/Berlin", now, "2026-11-22T01:00:00.000Z"},
      {"17:00", "Europe/Berlin", now, "2026-11-21T16:00:00.000Z"},
      {"16:45:13", "Europe/Berlin", now, "2026-11-22T15:45:13.000Z"},
      {"16:45:14", "Europe/Berlin", now, "2026-11-21T15:45:14.000Z"},
      {"today 23:00", "Europe/Berlin", now, "2026-11-21T22:00:00.000Z"},
      {"Tomorrow  02:00", "Europe/Berlin", now, "2026-11-22T01:00:00.000Z"},
      {"tomorrow 23:30", "Pacific/Apia", now, "2026-11-23T10:30:00.000Z"},  // 22 November there
      {"+3h", "Europe/Berlin", now, "2026-11-21T18:45:13.250Z"},
      {"in 3h", "Europe/Berlin", now, "2026-11-21T18:45:13.250Z"},
      {"in 90 minutes", "Europe/Berlin", now, "2026-11-21T17:15:13.250Z"},
      {"In 1 hour", "UTC", now, "2026-11-21T16:45:13.250Z"},
      {"+1.5h", "UTC", now, "2026-11-21T17:15:13.250Z"},
      {"+0s", "UTC", now, "2026-11-21T15:45:13.250Z"},
      {"now", "UTC", now, "2026-11-21T15:45:13.250Z"},
      // A day is 24 hours, tomorrow the next date on the calendar: clocks go forward at 01:00 UTC.
      {"+1d", "Europe/Berlin", "2026-03-28T11:00:00Z", "2026-03-29T11:00:00.000Z"},
      {"tomorrow 12:00", "Europe/Berlin", "2026-03-28T11:00:00Z", "2026-03-29T10:00:00.000Z"},
      // Skipped: the change. Shown twice: the first, so a later one is tomorrow's.
      {"02:30", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00.000Z"},
      {"02:30", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00.000Z"},
      {"02:30", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-26T01:30:00.000Z"},
      // Samoa had no 30 December in 2011.
      {"tomorrow 08:00", "Pacific/Apia", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00.000Z"},
      {"08:00", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T18:00:00.000Z"},
      {"00:30", "UTC", "1969-12-31T23:59:59.999Z", "1970-01-01T00:30:00.000Z"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.text, one.zone, one.now);
    CHECK(start_text(one.text, one.zone, one.now) == one.moment);
  }
}

TEST_CASE("what is no start time is refused with the reason", "[time]") {
  struct Case {
    std::string text;
    std::string message;
    std::string hint;
  };

  const std::vector<Case> cases = {
      {"", "is not a time", "write 02:00"},
      {"soon", "is not a time", "write 02:00"},
      {"25:00", "there is no 25:00:00", "write 02:00"},
      {"2:00", "HH:MM", "write 02:00"},
      {"tomorrow", "is not a time", "tomorrow 02:00"},
      {"tomorrow noon", "HH:MM", "tomorrow 02:00"},
      {"2026-11-22", "a time of the day must follow", "2026-11-22 02:00"},
      {"2026-02-30 02:00", "there is no 2026-02-30", "2026-11-22 02:00"},
      {"2026-11-22T02:00:00+0100", "+HH:MM", "2026-11-22T02:00:00Z"},
      {"2026-11-22T02:00Z", "HH:MM:SS", "2026-11-22T02:00:00Z"},
      {"+3", "is not a time from now", "+3h"},
      {"+h", "is not a time from now", "+3h"},
      {"in 3 fortnights", "is not a time from now", "+3h"},
      {"in -3h", "is not a time from now", "+3h"},
      {"+9000000d", "is after the year 9999", ""},
      {"+999999999999999999999d", "is not a time from now", "+3h"},
      {"2026-11-21 16:00",
       "has passed: it is 2026-11-21T16:45:13.250+01:00 in Europe/Berlin",
       "at once"},
      {"today 02:00", "has passed", "at once"},
      {"2020-01-01T00:00:00Z", "has passed", "at once"},
  };
  const TimeZone berlin = TimeZone::find("Europe/Berlin");
  for (const auto& one : cases) {
    CAPTURE(one.text);
    const auto error = thrown_error(
        [&] { parse_start_time(one.text, berlin, *parse_rfc3339("2026-11-21T15:45:13.250Z")); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::usage);
    CHECK_THAT(error->message(), ContainsSubstring(one.message));
    CHECK_THAT(error->hint(), ContainsSubstring(one.hint));
  }
}
