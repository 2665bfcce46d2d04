// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_surroundings.h"
#include "cli/command_line.h"
#include "cli/submit_request.h"
#include "cli/ui.h"
#include "core/config_layers.h"
#include "core/setting_reader.h"

#include <optional>
#include <string>

namespace batchllm {

// What `schedule add` was asked to do.
struct ScheduleRequest {
  std::string name;
  std::string cron;
  std::string zone;     // of the IANA database
  std::string overlap;  // empty: the daemon's default
  std::string missed;
  SubmitRequest job;
};

// --timezone, else the zone of this machine. Throws Error(usage) when nobody knows that.
std::string schedule_zone(const SettingReader& reader);

// `settings` must have been checked. The first argument is the name, the others are inputs, read
// as `submit` reads them. Throws Error(usage) for an expression or zone that is none, and for what
// cannot be done again and again: standard input, a result file that stands in the way of the next.
ScheduleRequest read_schedule_request(const CommandLine& line, const Settings& settings);

// The body of POST /schedules, after everything that `submit` checks was checked here; inputs of a
// daemon on another machine are sent there. Nothing after a dry run, which it does.
std::optional<std::string> schedule_body(ScheduleRequest request,
                                         const Settings& settings,
                                         const JobSurroundings& surroundings,
                                         Ui& ui);

}  // namespace batchllm
