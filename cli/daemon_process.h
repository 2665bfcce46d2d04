// SPDX-License-Identifier: Apache-2.0
// The program batchllmd as a process that commands start.
#pragma once

#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm {

// The path of batchllmd: beside this program, else in PATH. Throws Error(daemon_unreachable) when
// it is in neither.
std::string find_daemon_program(const EnvironmentLookup& environment);

// Replaces this process. Returns only by throwing Error(daemon_unreachable).
[[noreturn]] void become(const std::vector<std::string>& words);

// Runs a program with this one's standard streams to its end; returns its exit code, 128 + signal
// when a signal ended it. Throws Error(daemon_unreachable) when it cannot be started.
int run_to_end(const std::vector<std::string>& words);

// Starts `words` in a session of its own, with both its outputs in `output_file` (made empty, mode
// 0600) and the root folder as its own, and waits until it says that it is ready in the way of
// sd_notify(3). Returns its process id. Throws the error that it wrote when it ends before, and
// Error(timeout) when it says nothing for a minute.
int start_in_background(const std::vector<std::string>& words, const std::string& output_file);

}  // namespace batchllm
