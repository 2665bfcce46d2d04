// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_surroundings.h"
#include "cli/commands.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// Runs a prompt over every row of the inputs; goes on with an unfinished job of the same command.
// Returns the exit code.
int run_command(RunRequest request, const JobSurroundings& surroundings, Ui& ui);

// Goes on with an unfinished job: the given one, or the one that was begun last.
int resume_command(const ResumeRequest& request, const JobSurroundings& surroundings, Ui& ui);

// Asks the failed rows of a job again.
int retry_command(const RetryRequest& request, const JobSurroundings& surroundings, Ui& ui);

}  // namespace batchllm
