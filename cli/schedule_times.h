// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json_document.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// A time at which a schedule fires.
struct FireTime {
  std::int64_t at_ms = 0;  // milliseconds since 1970 in UTC
  std::string local;       // RFC 3339, on the clocks of the schedule's zone

  bool operator==(const FireTime&) const = default;
};

// The next `count` times later than `after_ms`; fewer where there are no more. Throws Error(usage)
// for an expression or a zone that is none.
std::vector<FireTime> next_fire_times(const std::string& cron,
                                      const std::string& zone,
                                      std::int64_t after_ms,
                                      std::size_t count);

// Those of the API (`FireTimePage` of share/openapi.json).
std::vector<FireTime> read_fire_times(const JsonNode& page);

// An expression in words: "at 02:30 on Monday to Friday"; as it is when it is none that this
// program knows.
std::string cron_words(const std::string& cron);

// "Mon 2026-11-23 02:30 +01:00".
std::string shown_local_time(std::string_view rfc3339);

// A table with a line for each: local time, UTC.
std::string fire_times_text(const std::vector<FireTime>& times);

// {"schema":"batchllm.schedule_times/1","cron":…,"timezone":…,"description":…,"times":[{"at":…,
// "local":…}]}
std::string fire_times_json(const std::string& cron,
                            const std::string& zone,
                            const std::vector<FireTime>& times);

}  // namespace batchllm
