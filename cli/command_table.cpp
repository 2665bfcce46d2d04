// SPDX-License-Identifier: Apache-2.0
#include "cli/command_table.h"

#include "cli/command_groups.h"

#include <vector>

namespace batchllm {

std::span<const CommandSpec> command_table() {
  static const std::vector<CommandSpec> commands = [] {
    std::vector<CommandSpec> all;
    for (const auto part : {job_commands(), service_commands()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return commands;
}

}  // namespace batchllm
