// SPDX-License-Identifier: Apache-2.0
#include "core/time_text.h"

#include "tests/support/catch.h"

#include <string>
#include <utility>
#include <vector>

using namespace batchllm;

TEST_CASE("a time is written as RFC 3339 with milliseconds", "[time]") {
  CHECK(rfc3339_text(0) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339_text(1'795'280'713'042) == "2026-11-21T17:05:13.042Z");
  CHECK(rfc3339_text(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(rfc3339_text(951'782'400'000) == "2000-02-29T00:00:00.000Z");
  CHECK(rfc3339_text(k_earliest_time_ms) == "0000-01-01T00:00:00.000Z");
  CHECK(rfc3339_text(k_latest_time_ms) == "9999-12-31T23:59:59.999Z");
  CHECK(rfc3339_text(0, 3600) == "1970-01-01T01:00:00.000+01:00");
  CHECK(rfc3339_text(0, -12'600) == "1969-12-31T20:30:00.000-03:30");
}

TEST_CASE("RFC 3339 is read in all its spellings", "[time]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"2026-11-21T15:45:13Z", "2026-11-21T15:45:13.000Z"},
      {"2026-11-21t15:45:13z", "2026-11-21T15:45:13.000Z"},
      {"2026-11-21 15:45:13.5Z", "2026-11-21T15:45:13.500Z"},
      {"2026-11-21T15:45:13.0429999Z", "2026-11-21T15:45:13.042Z"},
      {"2026-11-21T15:45:13.042+01:00", "2026-11-21T14:45:13.042Z"},
      {"2026-01-01T00:15:00+05:45", "2025-12-31T18:30:00.000Z"},
      {"2026-12-31T23:00:00-03:30", "2027-01-01T02:30:00.000Z"},
      {"2026-11-21T15:45:13-00:00", "2026-11-21T15:45:13.000Z"},
      {"2016-12-31T23:59:60.7Z", "2017-01-01T00:00:00.000Z"},
      {"2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00.000Z"},
      {"1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
  };
  for (const auto& [text, meant] : cases) {
    CAPTURE(text);
    const auto time = parse_rfc3339(text);
    REQUIRE(time);
    CHECK(rfc3339_text(*time) == meant);
  }
}

TEST_CASE("what is not RFC 3339 is refused with the reason", "[time]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "YYYY-MM-DD"},
      {"21.11.2026", "YYYY-MM-DD"},
      {"2026-11-21", "a time of the day must follow"},
      {"2026-11-21T15:45Z", "HH:MM:SS"},
      {"2026-11-21T15:45:13", "Z or in an offset"},
      {"2026-11-21T15:45:13+0100", "+HH:MM"},
      {"2026-11-21T15:45:13+24:00", "+HH:MM"},
      {"2026-11-21T15:45:13.Z", "no digit"},
      {"2026-11-21T15:45:13Zx", "something follows"},
      {"2026-02-29T00:00:00Z", "there is no 2026-02-29"},
      {"2026-13-01T00:00:00Z", "there is no 2026-13-01"},
      {"2026-00-10T00:00:00Z", "there is no 2026-00-10"},
      {"2026-11-21T24:00:00Z", "there is no 24:00:00"},
      {"2026-11-21T15:60:00Z", "there is no 15:60:00"},
      {"2026-11-21T15:45:61Z", "there is no 15:45:61"},
      {"2026-11-21T15:45:60Z", "second 60"},
      {"2026-12-31T23:59:60+01:00", "second 60"},
      {"0000-01-01T00:00:00+01:00", "years 0 and 9999"},
      {"9999-12-31T23:59:59-01:00", "years 0 and 9999"},
      {"+026-11-21T15:45:13Z", "YYYY-MM-DD"},
  };
  for (const auto& [text, reason] : cases) {
    CAPTURE(text);
    const auto time = parse_rfc3339(text);
    REQUIRE_FALSE(time);
    CHECK_THAT(time.error().message, ContainsSubstring(reason));
  }
}

TEST_CASE("times of the day and civil times are read", "[time]") {
  CHECK(*parse_time_of_day("02:30") == 9000);
  CHECK(*parse_time_of_day("23:59:59") == 86'399);
  for (const std::string text :
       {"", "2:30", "02:60", "24:00", "02:30:60", "02:30 ", "02", "02:3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time_of_day(text));
  }
  CHECK(parse_civil_time("1970-01-02 00:01")->seconds == 86'460);
  CHECK(parse_civil_time("1970-01-01T00:00:07")->seconds == 7);
  for (const std::string text :
       {"1970-01-02", "1970-01-02 00:01Z", "1970-02-30 00:00", "1970-01-02 00:01:60", "00:01"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_civil_time(text));
  }
}

TEST_CASE("people read a moment to the minute or to the second", "[time_text]") {
  const std::string second = local_second_text(1'795'280'713'999);
  CHECK(second.size() == 19);
  CHECK(second.ends_with(":13"));  // zones are whole minutes ahead
  CHECK(local_time_text(1'795'280'713'999) == second.substr(0, 16));
}
