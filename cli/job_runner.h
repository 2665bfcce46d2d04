// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_run.h"
#include "adapters/job/job_surroundings.h"
#include "cli/ui.h"

namespace batchllm {

// Runs a locked job as run_job does, shows its progress, stops it on a signal and says how it
// ended. Returns the exit code; throws Error for what prevents it from starting.
int run_and_report(JobDirectory& directory,
                   JobRecord& record,
                   const JobStart& start,
                   const JobSurroundings& surroundings,
                   Ui& ui);

}  // namespace batchllm
