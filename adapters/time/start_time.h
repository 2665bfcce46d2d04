// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/time/time_zone.h"

#include <cstdint>
#include <string_view>

namespace batchllm {

// The moment a person means by `--at TEXT`, in milliseconds since 1970 in UTC:
//
//   2026-11-22T02:00:00+01:00   RFC 3339
//   2026-11-22 02:00[:30]       on the clocks of `zone`
//   02:00                       the next time that these show it
//   today 02:00, tomorrow 02:00
//   +3h, in 90m, in 2 hours     from now; a day (1d) is 24 hours
//   now
//
// A time that the clocks of `zone` skip is the moment of the change; one that they show twice, the
// first. Throws Error(usage) for anything else and for a time that has passed.
std::int64_t parse_start_time(std::string_view text, const TimeZone& zone, std::int64_t now_ms);

}  // namespace batchllm
