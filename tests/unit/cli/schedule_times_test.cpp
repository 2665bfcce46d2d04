// SPDX-License-Identifier: Apache-2.0
#include "cli/schedule_times.h"

#include "core/error.h"
#include "core/time_text.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;

namespace {

std::int64_t moment(std::string_view text) {
  return parse_rfc3339(text).value();
}

}  // namespace

TEST_CASE("the next times of a schedule are shown on its own clocks and in UTC", "[schedule]") {
  // Clocks in Berlin go back on the 25th of October 2026.
  const auto times =
      next_fire_times("30 2 * * *", "Europe/Berlin", moment("2026-10-23T22:00:00Z"), 3);
  CHECK(times ==
        std::vector<FireTime>{{moment("2026-10-24T00:30:00Z"), "2026-10-24T02:30:00.000+02:00"},
                              {moment("2026-10-25T00:30:00Z"), "2026-10-25T02:30:00.000+02:00"},
                              {moment("2026-10-26T01:30:00Z"), "2026-10-26T02:30:00.000+01:00"}});
  CHECK(fire_times_text(times) ==
        "LOCAL                          UTC\n"
        "Sat 2026-10-24 02:30 +02:00    2026-10-24 00:30 UTC\n"
        "Sun 2026-10-25 02:30 +02:00    2026-10-25 00:30 UTC\n"
        "Mon 2026-10-26 02:30 +01:00    2026-10-26 01:30 UTC\n");
}

TEST_CASE("the times of a schedule as JSON say what they were made of", "[schedule]") {
  const auto times = next_fire_times("0 0 1 1 *", "UTC", moment("2026-06-01T00:00:00Z"), 1);
  CHECK(fire_times_json("0 0 1 1 *", "UTC", times) ==
        R"({"schema":"batchllm.schedule_times/1","cron":"0 0 1 1 *","timezone":"UTC",)"
        R"("description":"at 00:00 on day 1 of the month in January",)"
        R"("times":[{"at":"2027-01-01T00:00:00.000Z","local":"2027-01-01T00:00:00.000+00:00"}]})"
        "\n");
}

TEST_CASE("the daemon's answer gives the same times", "[schedule]") {
  const auto page = parse_json_document(
      R"({"items":[{"at":"2026-11-23T01:30:00.000Z","local":"2026-11-23T02:30:00+01:00"}],
          "next_cursor":null})");
  REQUIRE(page);
  const auto times = read_fire_times(*page);
  REQUIRE(times.size() == 1);
  CHECK(times[0].at_ms == moment("2026-11-23T01:30:00Z"));
  CHECK(shown_local_time(times[0].local) == "Mon 2026-11-23 02:30 +01:00");
  CHECK(read_fire_times(JsonNode()).empty());
}

TEST_CASE("a local time is shown whatever a server sends", "[schedule]") {
  CHECK(shown_local_time("2026-11-23T02:30:00Z") == "Mon 2026-11-23 02:30 Z");
  CHECK(shown_local_time("soon") == "soon");
  CHECK(shown_local_time("\x1b[2Jxxxxxxxxxxxxxxxxxxxxxxxxxx").find('\x1b') == std::string::npos);
}

TEST_CASE("a schedule that is none is refused", "[schedule]") {
  for (const auto& [cron, zone] :
       {std::pair("61 * * * *", "UTC"), std::pair("@daily", "Nowhere")}) {
    CAPTURE(cron, zone);
    const auto error = thrown_error([&c = cron, &z = zone] { next_fire_times(c, z, 0, 1); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::usage);
  }
}
