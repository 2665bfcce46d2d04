// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// Queues a run for batchllmd, after everything that `run` checks was checked here, and prints its
// id: alone when standard output is no terminal, as {"schema":"batchllm.submit/1","job":…} with
// --json. With --wait goes on as `jobs wait`. Returns the exit code; throws Error.
int submit_command(const CommandLine& line,
                   const Settings& settings,
                   const EnvironmentLookup& environment,
                   Ui& ui);

}  // namespace batchllm
