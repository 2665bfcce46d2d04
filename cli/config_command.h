// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// `batchllm config get|list|path|explain|validate`: shows configuration, never changes it. Returns
// the exit code; throws Error(usage) for an unknown key, Error(config_invalid) for what is wrong in
// a file or variable.
int config_command(const CommandLine& line, const EnvironmentLookup& environment, Ui& ui);

}  // namespace batchllm
