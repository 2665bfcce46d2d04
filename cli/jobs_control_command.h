// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// `jobs cancel|pause|resume|retry|answer`, `resume` and `retry`: through the daemon for its jobs; a
// run of another process is interrupted by a signal, and taken up in this one. Returns the exit
// code; with --json the daemon's jobs are printed as `jobs list` prints them. Throws Error:
// job_not_found, daemon_unreachable, job_conflict for what a job cannot do where it is.
int jobs_control_command(const CommandLine& line,
                         const Settings& settings,
                         const EnvironmentLookup& environment,
                         Ui& ui);

}  // namespace batchllm
