// SPDX-License-Identifier: Apache-2.0
// Any text as a cron expression: only Error may come out of it; what is taken fires later than it
// was asked, at a minute that matches, and reads the same from its canonical text. The same text as
// a time of RFC 3339.
#include "adapters/time/next_run.h"
#include "adapters/time/time_zone.h"
#include "core/cron_expression.h"
#include "core/error.h"
#include "core/text.h"
#include "core/time_text.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace batchllm;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

const TimeZone& zone_of(unsigned choice) {
  static const std::array<TimeZone, 4> zones = {TimeZone::utc(),
                                                TimeZone::find("Europe/Berlin"),
                                                TimeZone::find("Australia/Lord_Howe"),
                                                TimeZone::find("Pacific/Apia")};
  return zones.at(choice % zones.size());
}

void try_expression(std::string_view text, std::uint32_t seed) {
  const CronExpression expression = CronExpression::parse(text);
  const CronExpression again = CronExpression::parse(expression.text());
  require(again == expression);
  require(again.text() == expression.text());
  require(is_utf8(expression.description()));

  // A moment of the years 1970 to 2106.
  std::int64_t moment_ms = std::int64_t{seed} * 1000 + seed % 1000;
  for (int i = 0; i < 3; ++i) {
    const auto next_ms = next_run(expression, zone_of(seed), moment_ms);
    require(next_ms.has_value() && *next_ms > moment_ms);
    require(next_run(expression, zone_of(seed), *next_ms - 1) == next_ms);
    moment_ms = *next_ms;
  }
  const CivilMinute minute{std::chrono::minutes{seed / 60}};
  const auto next = expression.next_after(minute);
  require(next && *next > minute && expression.matches(*next));
}

void try_time(std::string_view text) {
  if (const auto time_ms = parse_rfc3339(text)) {
    const auto again = parse_rfc3339(rfc3339_text(*time_ms));
    require(again && *again == *time_ms);
  }
  (void)parse_time_of_day(text);
  (void)parse_civil_time(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) {
    return 0;
  }
  std::uint32_t seed = 0;
  for (int i = 0; i < 4; ++i) {
    seed = seed << 8U | data[i];
  }
  const std::string_view text(reinterpret_cast<const char*>(data + 4), size - 4);
  try_time(text);
  try {
    try_expression(text, seed);
  } catch (const Error&) {
    // refused, as it should be
  }
  return 0;
}
