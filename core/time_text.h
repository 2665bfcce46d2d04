// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm {

// Times as text, without time zones: RFC 3339. Times are milliseconds since 1970 in UTC, from the
// year 0 to the end of the year 9999.
constexpr std::int64_t k_earliest_time_ms = -62'167'219'200'000;
constexpr std::int64_t k_latest_time_ms = 253'402'300'799'999;

// "2026-11-21T17:05:13.000Z".
std::string rfc3339_text(std::int64_t time_ms);

// The same moment on a clock that is `offset_s` ahead of UTC: "2026-11-21T18:05:13.000+01:00".
// Seconds of an offset (as before 1972) are rounded off in the offset only.
std::string rfc3339_text(std::int64_t time_ms, std::int32_t offset_s);

// RFC 3339 with Z or an offset; `T` may be a blank. Digits below the millisecond are cut off, a
// leap second (23:59:60 in UTC) is the second after it.
Result<std::int64_t> parse_rfc3339(std::string_view text);

// For people, in the process's time zone: "2026-11-21 17:05", "2026-11-21 17:05:13".
std::string local_time_text(std::int64_t time_ms);
std::string local_second_text(std::int64_t time_ms);

// A date and a time of the day as a clock shows them.
struct CivilTime {
  std::int64_t seconds = 0;  // since 1970-01-01 00:00:00 on that clock
};

// "02:30" or "02:30:15" -> seconds since midnight.
Result<std::int64_t> parse_time_of_day(std::string_view text);

// "2026-11-21 17:05", "2026-11-21T17:05:13".
Result<CivilTime> parse_civil_time(std::string_view text);

}  // namespace batchllm
