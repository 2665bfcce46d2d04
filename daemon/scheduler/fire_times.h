// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/time/next_run.h"

#include <cstdint>
#include <optional>
#include <string>

namespace batchllm::daemon {

// The times of a schedule. An immutable value.
class FireTimes {
 public:
  // Throws Error(usage) for what is no expression and no zone.
  FireTimes(const std::string& cron, const std::string& zone)
      : cron_(CronExpression::parse(cron)),
        zone_(TimeZone::find(zone)) {}

  // The first later than `time_ms` (wall clock); nullopt: there is none.
  std::optional<std::int64_t> next_after(std::int64_t time_ms) const {
    return next_run(cron_, zone_, time_ms);
  }

  const TimeZone& zone() const noexcept { return zone_; }

 private:
  CronExpression cron_;
  TimeZone zone_;
};

}  // namespace batchllm::daemon
