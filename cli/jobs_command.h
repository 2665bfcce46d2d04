// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// Jobs of the daemon and runs of this machine have one list: what the daemon knows is shown as it
// says. Without a daemon, the job folders alone are looked at.

int jobs_list_command(const JobsListRequest& request,
                      const Settings& settings,
                      const EnvironmentLookup& environment,
                      Ui& ui);

// Schema "batchllm.job/1" with --json.
int jobs_show_command(const JobsShowRequest& request,
                      const Settings& settings,
                      const EnvironmentLookup& environment,
                      Ui& ui);

// Deletes jobs with their ledgers, after asking. Throws Error(job_locked | job_conflict) for one
// that runs, or that the daemon still has to run.
int jobs_remove_command(const JobsRemoveRequest& request,
                        const Settings& settings,
                        const EnvironmentLookup& environment,
                        Ui& ui);

// Jobs of the daemon's that have not ended stay; while it is not running, all of its jobs do.
int jobs_prune_command(const JobsPruneRequest& request,
                       const Settings& settings,
                       const EnvironmentLookup& environment,
                       Ui& ui);

}  // namespace batchllm
