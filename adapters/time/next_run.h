// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/time/time_zone.h"
#include "core/cron_expression.h"

#include <cstdint>
#include <optional>

namespace batchllm {

// The first moment later than `after_wall_ms` at which a schedule fires; milliseconds since 1970 in
// UTC. nullopt when there is none before the year 9999 ends. Never the same moment for two slots.
//
// Where clocks are put forward or back, an expression fires in one of two ways.
//
// Fixed times of the day (the hour is a number, a list or a range: "30 2 * * *", "0 9-17 * * *")
// fire once for each date:
// - a time that the clocks skip fires at the moment of the change, the first minute that there is
//   (02:30 in a gap from 02:00 to 03:00 fires at 03:00; several skipped times fire once),
// - a time that the clocks show twice fires at the first.
//
// Repeating ones (the hour is `*` or a single step: "0 * * * *", "*/15 * * * *", "0 */2 * * *")
// follow the time that really passes:
// - in an hour that the clocks show twice they fire in both passes,
// - a skipped time fires as late as it would have without the change ("0 */2" after midnight at
//   03:00, two hours later); for "every hour" and "every 15 minutes" that is a time at which
//   they fire anyhow.
std::optional<std::int64_t> next_run(const CronExpression& expression,
                                     const TimeZone& zone,
                                     std::int64_t after_wall_ms);

}  // namespace batchllm
