// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"
#include "cli/ui.h"
#include "core/config_layers.h"

#include <string>

namespace batchllm {

// Shows a job's progress until it ends, then sums it up and returns its exit code; Ctrl-C leaves
// the job alone (130). Prints {"schema":"batchllm.job/1","job":…} with --json.
int jobs_watch_command(const std::string& id,
                       const Settings& settings,
                       const EnvironmentLookup& environment,
                       Ui& ui);

// Prints what happened to a job, one line an event; with --json the events as the API has them, one
// a line. With `follow` goes on until the job ends.
int jobs_logs_command(const JobsLogsRequest& request,
                      const Settings& settings,
                      const EnvironmentLookup& environment,
                      Ui& ui);

}  // namespace batchllm
