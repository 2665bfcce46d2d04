// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// Runs a prompt over every row of the inputs; goes on with an unfinished job of the same command.
// Returns the exit code.
int run_command(RunRequest request, const EnvironmentLookup& environment, Ui& ui);

// Goes on with an unfinished job: the given one, or the one that was begun last.
int resume_command(const ResumeRequest& request, const EnvironmentLookup& environment, Ui& ui);

// Asks the failed rows of a job again.
int retry_command(const RetryRequest& request, const EnvironmentLookup& environment, Ui& ui);

}  // namespace batchllm
