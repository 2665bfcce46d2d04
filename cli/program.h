// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm {

// The whole program but for process-wide set-up: parses the words after the program's name, loads
// settings, calls the command, reports what went wrong. Returns the exit code; throws nothing.
int run_program(const std::vector<std::string>& words, const EnvironmentLookup& environment);

}  // namespace batchllm
