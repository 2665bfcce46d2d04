// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// Waits until all of the jobs (or any) have nothing more to wait for; see settled_exit_code in
// cli/queued_job.h. Returns the worst exit code, which is the highest; with --json prints
// {"schema":"batchllm.wait/1","exit_code":…,"jobs":[{"id","state","reason","exit_code"}]}. A daemon
// that goes away is waited for, for a minute. Throws Error(timeout), Error(interrupted).
int jobs_wait_command(const JobsWaitRequest& request,
                      const Settings& settings,
                      const EnvironmentLookup& environment,
                      Ui& ui);

}  // namespace batchllm
