// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_table.h"
#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm {

enum class HelpWanted { none, brief, full };

// What stands on the command line, not yet merged with other layers and not yet validated.
struct CommandLine {
  const CommandSpec* command =
      nullptr;                         // nullptr: `batchllm` alone; a group when nothing follows it
  std::vector<std::string> arguments;  // positional ones
  SettingLayer flags;
  HelpWanted help = HelpWanted::none;
  bool version = false;

  // How the command is called, for messages: "batchllm run".
  std::string call() const;
};

// Parses the words after the program's name. Throws Error(usage) for an unknown command or option
// (with the nearest known one as a hint), a missing value, and too few or too many arguments. The
// number of arguments is not checked when help is asked for.
CommandLine parse_command_line(const std::vector<std::string>& words);

}  // namespace batchllm
