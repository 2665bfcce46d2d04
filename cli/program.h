// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm {

// The whole program but for process-wide set-up: parses the words after the program's name, loads
// settings, calls the command, reports what went wrong. `variables`: the names that the environment
// holds, to point out misspelt ones. Returns the exit code.
int run_program(const std::vector<std::string>& words,
                const EnvironmentLookup& environment,
                const std::vector<std::string>& variables);

}  // namespace batchllm
