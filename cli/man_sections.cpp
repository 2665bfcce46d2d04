// SPDX-License-Identifier: Apache-2.0
#include "cli/man_sections.h"

#include "cli/command_table.h"
#include "cli/exit_code_table.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

namespace batchllm {
namespace {

// Text that troff must not interpret: backslashes, and dots or quotes at the start of a line.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

// An argument of a macro: in quotes, so that no word is taken for a macro's name.
std::string argument(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) {
    out += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return fmt::format("\"{}\"", out);
}

std::string sentence(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z') {
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  }
  return escaped(out) + ".";
}

std::string option_item(const OptionKey& option) {
  const std::string_view value = option.choices.empty() ? option.placeholder : option.choices;
  std::string out = ".It ";
  if (option.short_flag != '\0') {
    out += fmt::format("Fl {} , ", option.short_flag);
  }
  out += fmt::format("Fl Fl {}", escaped(flag_of(option).substr(2)));
  out += is_flag(option) ? "\n" : fmt::format(" Ar {}\n", argument(value));
  out += sentence(option.help) + "\n";
  if (!is_flag(option) && !option.default_text.empty()) {
    out += fmt::format("Default: {}.\n", escaped(option.default_text));
  }
  return out;
}

std::string options_section(std::string_view command) {
  const CommandSpec* spec = find_command(command);
  const bool is_global = command == "global";
  if (spec == nullptr && !is_global) {
    throw Error(ErrorCode::usage, fmt::format("no such command: {}", one_line(command, 40)));
  }
  std::string out;
  std::string_view group;
  for (const OptionKey* option : options_of(is_global ? CommandSpec{} : *spec)) {
    if (section_of(*option).empty() != is_global) {
      continue;
    }
    if (option->group != group) {
      out += group.empty() ? "" : ".El\n";
      group = option->group;
      out += is_global ? "" : fmt::format(".Ss {}\n", group);
      out += ".Bl -tag -width Ds\n";
    }
    out += option_item(*option);
  }
  return out + ".El\n";
}

std::string commands_section() {
  std::string out = ".Bl -tag -width Ds\n";
  for (const CommandSpec& spec : command_table()) {
    if (spec.group.empty() || spec.command == Command::none) {
      continue;
    }
    out += fmt::format(".It Cm {}", argument(spec.path));
    out += spec.arguments.empty() ? "\n" : fmt::format(" Ar {}\n", argument(spec.arguments));
    out += sentence(spec.summary) + "\n";
  }
  return out + ".El\n";
}

std::string exit_codes_section() {
  std::string out = ".Bl -tag -width 130XX143\n";
  for (const ExitCodeText& row : exit_code_table()) {
    out += fmt::format(
        ".It {} Pq {}\n{}\n", argument(row.code), argument(row.name), sentence(row.meaning));
    if (!row.what_helps.empty()) {
      out += fmt::format("What helps: {}.\n", escaped(row.what_helps));
    }
  }
  return out + ".El\n";
}

std::string environment_section() {
  std::string out = ".Bl -tag -width Ds\n";
  for (const OptionKey& option : option_table()) {
    const std::string name = environment_of(option);
    if (!name.empty()) {
      const auto section = section_of(option);
      const std::string of = section.empty() ? std::string() : fmt::format(" of {}", section);
      out += fmt::format(".It Ev {}\n{}{}.\n", name, escaped(flag_of(option)), of);
    }
  }
  return out + ".El\n";
}

}  // namespace

std::string man_section(const std::vector<std::string>& words) {
  const std::string& what = words.front();
  if (what == "options" && words.size() > 1) {
    const std::vector<std::string> command(words.begin() + 1, words.end());
    return options_section(fmt::format("{}", fmt::join(command, " ")));
  }
  if (what == "commands") {
    return commands_section();
  }
  if (what == "exit-codes") {
    return exit_codes_section();
  }
  if (what == "environment") {
    return environment_section();
  }
  throw Error(ErrorCode::usage, fmt::format("no such section: {}", one_line(what, 40)));
}

}  // namespace batchllm
