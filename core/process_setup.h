// SPDX-License-Identifier: Apache-2.0
// What the main function of every program does before anything else.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// A reader that left (SIGPIPE) and a file-size limit (SIGXFSZ) become errors of write() instead of
// ending the process. Called once, at the start of main.
void ignore_write_signals() noexcept;

// The value of a variable of this process; an EnvironmentLookup (core/config_layers.h).
std::optional<std::string> environment_variable(const std::string& name);

// The names of every variable of this process.
std::vector<std::string> environment_names();

}  // namespace batchllm
