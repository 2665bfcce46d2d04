// SPDX-License-Identifier: Apache-2.0
#include "cli/help_view.h"

#include "core/error.h"
#include "core/option_help.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

constexpr std::size_t k_command_column = 20;

std::string indented_lines(std::string_view lines) {
  std::string out;
  for (const std::string& line : split(lines, '\n')) {
    out += fmt::format("  {}\n", line);
  }
  return out;
}

std::vector<const OptionKey*> own_options(const CommandSpec& spec) {
  auto options = options_of(spec);
  options.erase(std::remove_if(options.begin(),
                               options.end(),
                               [](const auto* option) { return section_of(*option).empty(); }),
                options.end());
  return options;
}

std::vector<const OptionKey*> common_options(const CommandSpec& spec) {
  std::vector<const OptionKey*> found;
  for (const std::string& name : split(spec.common, ',')) {
    for (const OptionKey* option : own_options(spec)) {
      if (name_of(*option) == name) {
        found.push_back(option);
      }
    }
  }
  return found;
}

std::string command_lines(const std::vector<const CommandSpec*>& commands, std::size_t column) {
  std::string out;
  for (const CommandSpec* spec : commands) {
    std::string left(last_word(spec->path));
    if (!spec->arguments.empty()) {
      left += fmt::format(" {}", spec->arguments);
    }
    if (spec->command == Command::none) {
      left += " COMMAND";
    }
    out += two_columns(left, std::string(spec->summary), column);
  }
  return out;
}

std::string group_help(const CommandSpec& spec, bool color) {
  std::string out = fmt::format("{}.\n\nUsage: batchllm {} COMMAND\n\n", spec.summary, spec.path);
  out += heading("Commands:", color) + command_lines(commands_below(spec.path), k_command_column);
  out += fmt::format("\nMore: batchllm {} COMMAND --help\n", spec.path);
  return out;
}

std::string topic_lines() {
  std::string out;
  for (const HelpTopic& topic : help_topics()) {
    out += two_columns(std::string(topic.name), std::string(topic.summary), k_command_column);
  }
  return out;
}

}  // namespace

std::string program_help(bool color) {
  std::string out = "Run a prompt over every row of a file; never lose or pay for a row twice.\n\n";
  out += "Usage: batchllm COMMAND [OPTIONS]\n\n";
  out += heading("Examples:", color);
  out += indented_lines(
      "batchllm run tickets.csv -m openai/gpt-4o-mini -p 'Classify: {text}' -o out.csv\n"
      "batchllm inspect tickets.csv\n"
      "batchllm resume");
  std::vector<std::string_view> groups;
  for (const CommandSpec* spec : commands_below("")) {
    if (std::find(groups.begin(), groups.end(), spec->group) == groups.end()) {
      groups.push_back(spec->group);
    }
  }
  for (const auto group : groups) {
    auto commands = commands_below("");
    commands.erase(std::remove_if(commands.begin(),
                                  commands.end(),
                                  [group](const auto* spec) { return spec->group != group; }),
                   commands.end());
    constexpr std::size_t k_wide_column = 30;
    out +=
        "\n" + heading(fmt::format("{}:", group), color) + command_lines(commands, k_wide_column);
  }
  out += "\n" + heading("Global options, in any position:", color);
  out += option_lines(options_of(CommandSpec{}));
  out += "\n" + heading("Topics of batchllm help:", color) + topic_lines();
  return out;
}

std::string command_help(const CommandSpec& spec, HelpWanted wanted, bool color) {
  if (spec.command == Command::none) {
    return group_help(spec, color);
  }
  const bool is_brief = wanted == HelpWanted::brief && !spec.common.empty();
  std::string out = fmt::format("{}.\n\nUsage: batchllm {}", spec.summary, spec.path);
  out += spec.arguments.empty() ? "" : fmt::format(" {}", spec.arguments);
  out += own_options(spec).empty() ? "\n" : " [OPTIONS]\n";
  if (!spec.alias.empty()) {
    const auto parent = spec.path.substr(0, spec.path.size() - last_word(spec.path).size());
    out += fmt::format("Also: batchllm {}{}\n", parent, spec.alias);
  }
  if (!spec.examples.empty()) {
    out += "\n" + heading("Examples:", color) + indented_lines(spec.examples);
  }
  if (is_brief) {
    out += "\n" + heading("Most used options:", color) + option_lines(common_options(spec));
    out += fmt::format("\nAll options: batchllm {} --help\n", spec.path);
    return out;
  }
  out += grouped_options(own_options(spec), color);
  out += "\nGlobal options: batchllm --help\n";
  if (!spec.epilogue.empty()) {
    out += fmt::format("\n{}\n", spec.epilogue);
  }
  return out;
}

std::string help_about(const std::vector<std::string>& words, bool color) {
  if (words.empty()) {
    return program_help(color);
  }
  const std::string name = fmt::format("{}", fmt::join(words, " "));
  std::string found;
  if (const CommandSpec* spec = find_command(name); spec != nullptr) {
    found = command_help(*spec, HelpWanted::full, color);
  }
  std::vector<std::string> known;
  for (const HelpTopic& topic : help_topics()) {
    if (topic.name == name) {
      // A command and a topic may share a name (resume): both are meant.
      found += (found.empty() ? "" : "\n") + topic.text();
    }
    known.emplace_back(topic.name);
  }
  if (!found.empty()) {
    return found;
  }
  const std::string topics = fmt::format("topics: {}", name_list(known));
  for (const CommandSpec& spec : command_table()) {
    if (!spec.group.empty()) {
      known.emplace_back(spec.path);
    }
  }
  const auto near = nearest_name(name, known);
  throw Error(ErrorCode::topic_unknown,
              fmt::format("no help about {}", one_line(name, 60)),
              near ? fmt::format("did you mean batchllm help {}?", *near) : topics);
}

}  // namespace batchllm
