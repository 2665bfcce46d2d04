// SPDX-License-Identifier: Apache-2.0
// Finding commands in their table.
#include "cli/command_table.h"

#include <algorithm>
#include <string>

namespace batchllm {

std::string_view last_word(std::string_view path) noexcept {
  const auto space = path.rfind(' ');
  return space == std::string_view::npos ? path : path.substr(space + 1);
}

const CommandSpec* find_command(std::string_view path) {
  for (const CommandSpec& spec : command_table()) {
    if (spec.path == path) {
      return &spec;
    }
    const auto parent = spec.path.substr(0, spec.path.size() - last_word(spec.path).size());
    if (!spec.alias.empty() && path.starts_with(parent) &&
        path.substr(parent.size()) == spec.alias) {
      return &spec;
    }
  }
  return nullptr;
}

const CommandSpec& spec_of(Command command) {
  const auto commands = command_table();
  const auto found = std::find_if(commands.begin(), commands.end(), [command](const auto& spec) {
    return spec.command == command;
  });
  return found == commands.end() ? commands.front() : *found;
}

std::vector<const CommandSpec*> commands_below(std::string_view path) {
  std::vector<const CommandSpec*> found;
  const std::string prefix = path.empty() ? std::string() : std::string(path) + " ";
  for (const CommandSpec& spec : command_table()) {
    if (!spec.group.empty() && spec.path.starts_with(prefix) &&
        spec.path.find(' ', prefix.size()) == std::string_view::npos) {
      found.push_back(&spec);
    }
  }
  return found;
}

std::vector<const OptionKey*> options_of(const CommandSpec& spec) {
  std::vector<const OptionKey*> options;
  for (const OptionKey& option : option_table()) {
    // What only holds other commands takes every global option.
    const bool is_global = section_of(option).empty() && spec.command == Command::none;
    if (is_global || option.commands.contains(spec.command)) {
      options.push_back(&option);
    }
  }
  return options;
}

}  // namespace batchllm
