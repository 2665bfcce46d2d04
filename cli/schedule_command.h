// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// `batchllm schedule add|list|show|pause|resume|run-now|next|rm`: jobs that batchllmd queues again
// and again. Schedules are named by their name or id. `next --cron EXPR` needs no daemon. With
// --json: {"schema":"batchllm.schedule/1","schedule":{…}}, of `list`
// {"schema":"batchllm.schedules/1","schedules":[…]}, of `run-now` as `submit`, of `next` as
// fire_times_json(). Returns the exit code; throws Error: usage, schedule_not_found,
// daemon_unreachable.
int schedule_command(const CommandLine& line,
                     const Settings& settings,
                     const EnvironmentLookup& environment,
                     Ui& ui);

}  // namespace batchllm
