// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// `results show|export|errors`: out of the job's folder where that can be read here, else from the
// daemon. Returns the exit code; throws Error.
int results_command(const CommandLine& line,
                    const Settings& settings,
                    const EnvironmentLookup& environment,
                    Ui& ui);

}  // namespace batchllm
