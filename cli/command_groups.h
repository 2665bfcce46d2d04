// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_table.h"

#include <span>

namespace batchllm {

// The parts of command_table(), in its order.
std::span<const CommandSpec> job_commands() noexcept;      // make jobs and look after them
std::span<const CommandSpec> service_commands() noexcept;  // the daemon, tools, hidden ones

}  // namespace batchllm
