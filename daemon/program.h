// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm::daemon {

// The whole program but for process-wide set-up: parses the words after the program's name, reads
// the configuration, starts the log, serves, reports what went wrong. Returns the exit code.
int run_program(const std::vector<std::string>& words, const EnvironmentLookup& environment);

}  // namespace batchllm::daemon
