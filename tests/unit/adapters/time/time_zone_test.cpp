// SPDX-License-Identifier: Apache-2.0
#include "adapters/time/time_zone.h"

#include "core/error.h"
#include "core/time_text.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

// $TZ for one scope.
class TimeZoneVariable {
 public:
  explicit TimeZoneVariable(const std::string& value) {
    if (const char* before = std::getenv("TZ")) {
      before_ = before;
    }
    ::setenv("TZ", value.c_str(), 1);
  }

  ~TimeZoneVariable() {
    if (before_) {
      ::setenv("TZ", before_->c_str(), 1);
    } else {
      ::unsetenv("TZ");
    }
  }

  TimeZoneVariable(const TimeZoneVariable&) = delete;
  TimeZoneVariable& operator=(const TimeZoneVariable&) = delete;

 private:
  std::optional<std::string> before_;
};

std::int64_t utc_s(std::string_view text) {
  return *parse_rfc3339(text) / 1000;
}

}  // namespace

TEST_CASE("a zone is found by its name and tells what its clocks show", "[time]") {
  const TimeZone berlin = TimeZone::find("Europe/Berlin");
  CHECK(berlin.name() == "Europe/Berlin");
  CHECK(berlin.to_civil(utc_s("2026-01-01T12:00:00Z")) == utc_s("2026-01-01T13:00:00Z"));
  CHECK(berlin.to_civil(utc_s("2026-07-01T12:00:00Z")) == utc_s("2026-07-01T14:00:00Z"));
  CHECK(berlin.to_utc(utc_s("2026-07-01T14:00:00Z")) == utc_s("2026-07-01T12:00:00Z"));
  // Skipped: the change. Shown twice: the first.
  CHECK(berlin.to_utc(utc_s("2026-03-29T02:30:00Z")) == utc_s("2026-03-29T01:00:00Z"));
  CHECK(berlin.to_utc(utc_s("2026-10-25T02:30:00Z")) == utc_s("2026-10-25T00:30:00Z"));
  CHECK(TimeZone::find("Asia/Kathmandu").to_civil(0) == 5 * 3600 + 1800);  // 05:45 since 1986
  CHECK(TimeZone::find(" utc ").name() == "UTC");
  CHECK(TimeZone::utc().to_utc(12'345) == 12'345);
}

TEST_CASE("the span of an offset reaches from one change of the clocks to the next", "[time]") {
  const TimeZone new_york = TimeZone::find("America/New_York");
  const OffsetSpan summer = new_york.span_at(utc_s("2026-07-01T00:00:00Z"));
  CHECK(summer.begin_s == utc_s("2026-03-08T07:00:00Z"));
  CHECK(summer.end_s == utc_s("2026-11-01T06:00:00Z"));
  CHECK(summer.offset_s == -4 * 3600);
  CHECK(summer.previously_s == -5 * 3600);
  CHECK(new_york.span_at(summer.begin_s).begin_s == summer.begin_s);
  CHECK(new_york.span_at(summer.begin_s - 1).end_s == summer.begin_s);
  // Long after the changes that the database lists.
  const OffsetSpan far = new_york.span_at(utc_s("9876-07-01T00:00:00Z"));
  CHECK(far.offset_s == -4 * 3600);
  CHECK(far.begin_s == utc_s("9876-03-12T07:00:00Z"));
  CHECK(far.end_s == utc_s("9876-11-05T06:00:00Z"));
  const OffsetSpan utc = TimeZone::utc().span_at(0);
  CHECK(utc.begin_s == std::numeric_limits<std::int64_t>::min());
  CHECK(utc.end_s == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("an unknown zone is refused with the nearest name", "[time]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"Europe/Berln", "did you mean Europe/Berlin?"},
      {"europe/berlin", "did you mean Europe/Berlin?"},
      {"Berlin", "did you mean Europe/Berlin?"},
      {"new york", "did you mean America/New_York?"},
      {"Germany/Berlin", "did you mean Europe/Berlin?"},
      {"Asia/Katmandou", "Kat"},
      {"+02:00", "an offset alone is no zone"},
      {"Mars/Olympus_Mons", "zones are named as in Europe/Berlin"},
      {"", "zones are named as in"},
      {"Europe", "did you mean Europe/"},
      {"right/Europe/Berlin", "did you mean Europe/Berlin?"},
      {"posixrules/x", "zones are named as in"},
      {"../../../etc/localtime", ""},
      {"/etc/localtime", ""},
      {"file:/etc/localtime", ""},
      {"libc:localtime", ""},
      {"tzdata.zi", ""},
      {"Europe/Berlin\n", "*"},
      {std::string("Europe/Berlin\0x", 15), ""},
  };
  for (const auto& [name, hint] : cases) {
    CAPTURE(name);
    const auto error = thrown_error([&, name = name] { TimeZone::find(name); });
    if (hint == "*") {  // blanks around a name are no fault
      CHECK_FALSE(error);
      continue;
    }
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::usage);
    CHECK_THAT(error->message(), ContainsSubstring("is not a time zone"));
    CHECK_THAT(error->hint(), ContainsSubstring(hint));
  }
}

TEST_CASE("the local zone is what the environment says, with its name", "[time]") {
  {
    const TimeZoneVariable variable("Asia/Tokyo");
    CHECK(TimeZone::find("local").name() == "Asia/Tokyo");
  }
  {
    const TimeZoneVariable variable(":/usr/share/zoneinfo/Asia/Tokyo");
    CHECK(TimeZone::find("local").name() == "Asia/Tokyo");
  }
  {
    const TimeZoneVariable variable("");
    CHECK(TimeZone::find("local").name() == "UTC");
  }
  for (const std::string value : {"local", "CET-1CEST,M3.5.0,M10.5.0/3"}) {
    const TimeZoneVariable variable(value);
    const auto error = thrown_error([] { TimeZone::find("local"); });
    REQUIRE(error);
    CHECK_THAT(error->message(), ContainsSubstring("TZ in the environment"));
  }
}
