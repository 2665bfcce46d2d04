// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_report.h"

namespace batchllm {

// The exit code that a run which no process has any more ended with: 130 when it was killed.
int local_exit_code(const JobReport& report);

// Asks the process that runs the job to stop, as Ctrl-C does there: what was answered is kept.
// Throws Error(job_conflict) when no process runs it.
void interrupt_local_job(const JobDirectory& directory);

}  // namespace batchllm
