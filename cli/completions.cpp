// SPDX-License-Identifier: Apache-2.0
#include "cli/completions.h"

#include "adapters/providers/model_catalog.h"
#include "cli/command_table.h"
#include "cli/help_view.h"
#include "core/error.h"
#include "core/price_table.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> names_below(std::string_view path) {
  std::vector<std::string> names;
  for (const CommandSpec* spec : commands_below(path)) {
    names.emplace_back(last_word(spec->path));
    if (!spec->alias.empty()) {
      names.emplace_back(spec->alias);
    }
  }
  return names;
}

std::vector<std::string> flags_of(const CommandSpec& spec) {
  std::vector<std::string> flags;
  for (const OptionKey* option : options_of(spec)) {
    flags.push_back(flag_of(*option));
    if (option->short_flag != '\0') {
      flags.push_back(fmt::format("-{}", option->short_flag));
    }
  }
  return flags;
}

std::string_view argument_word(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::file:
      return "files";
    case ArgumentKind::job:
      return "jobs";
    case ArgumentKind::shell:
      return "shells";
    case ArgumentKind::topic:
      return "topics";
    case ArgumentKind::key:
      return "keys";
    case ArgumentKind::model:
      return "models";
    case ArgumentKind::provider:
      return "providers";
    default:
      return "";
  }
}

// Single quotes for every shell; the texts of the tables hold none but in examples.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// ---- bash

// One line a command: which words may follow, and what its arguments are.
std::string bash_command_table() {
  std::string out;
  const auto line = [&out](const CommandSpec& spec) {
    out += fmt::format("    {}) subs='{}'; opts='{}'; args='{}';;\n",
                       quoted(spec.path),
                       joined(names_below(spec.path)),
                       joined(flags_of(spec)),
                       argument_word(spec.argument_kind));
    if (!spec.alias.empty()) {
      const auto parent = spec.path.substr(0, spec.path.size() - last_word(spec.path).size());
      out += fmt::format(
          "    '{}{}') _batchllm_command {};;\n", parent, spec.alias, quoted(spec.path));
    }
  };
  line(CommandSpec{});
  for (const CommandSpec& spec : command_table()) {
    if (!spec.group.empty()) {
      line(spec);
    }
  }
  return out;
}

// Options with a value by command and flag. An option that means the same everywhere is said once.
std::string bash_value_table() {
  std::string out;
  for (const OptionKey& option : option_table()) {
    if (is_flag(option)) {
      continue;
    }
    std::string_view kind = "none";
    if (!option.choices.empty()) {
      kind = "choices";
    } else if (option.kind == ValueKind::path) {
      kind = "files";
    }
    const std::string choices =
        kind == "choices" ? fmt::format(" choices='{}';", joined(split(option.choices, '|'))) : "";
    std::vector<std::string> patterns;
    const auto add = [&](std::string_view path) {
      patterns.push_back(quoted(fmt::format("{} {}", path, flag_of(option))));
      if (option.short_flag != '\0') {
        patterns.push_back(quoted(fmt::format("{} -{}", path, option.short_flag)));
      }
    };
    if (section_of(option).empty()) {
      patterns.push_back(fmt::format("*' {}'", flag_of(option)));
    }
    for (const CommandSpec& spec : command_table()) {
      if (!spec.group.empty() && !section_of(option).empty() &&
          option.commands.contains(spec.command)) {
        add(spec.path);
      }
    }
    out += fmt::format("    {}) value={};{};\n", fmt::join(patterns, "|"), kind, choices);
  }
  return out;
}

constexpr std::string_view k_bash_script =
    R"script(# bash completion for batchllm; made by `batchllm completions bash`
_batchllm_command() {
  case "$1" in
@COMMANDS@
    *) return 1;;
  esac
}

_batchllm_value() {
  value=''
  choices=''
  case "$1 $2" in
@VALUES@
  esac
  [[ -n $value ]]
}

_batchllm_files() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$1"))
}

_batchllm() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev='' path='' subs='' opts='' args='' value='' choices=''
  local word i skip=0
  (( COMP_CWORD > 0 )) && prev=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  # --flag=value arrives as three words
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]] && (( COMP_CWORD > 1 )); then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
  _batchllm_command ''
  for (( i = 1; i < COMP_CWORD; i++ )); do
    word=${COMP_WORDS[i]}
    if (( skip )); then
      [[ $word == '=' ]] && continue
      skip=0
      continue
    fi
    if [[ $word == -* ]]; then
      _batchllm_value "$path" "$word" && skip=1
    elif [[ -n $subs && " $subs " == *" $word "* ]]; then
      path="${path:+$path }$word"
      _batchllm_command "$path"
    fi
  done
  if [[ $prev == -* ]] && _batchllm_value "$path" "$prev"; then
    case "$value" in
      choices) COMPREPLY=($(compgen -W "$choices" -- "$cur"));;
      files) _batchllm_files "$cur";;
    esac
    return 0
  fi
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$opts" -- "$cur"))
    return 0
  fi
  if [[ -n $subs ]]; then
    COMPREPLY=($(compgen -W "$subs" -- "$cur"))
    return 0
  fi
  case "$args" in
    files) _batchllm_files "$cur";;
    shells) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur"));;
    jobs|topics|keys|models|providers)
      COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" __complete "$args" 2>/dev/null)" -- "$cur"));;
  esac
}
complete -F _batchllm batchllm
)script";

void replace_line(std::string& text, std::string_view mark, std::string_view by) {
  text.replace(text.find(mark), mark.size(), by);
}

std::string bash_script() {
  std::string script(k_bash_script);
  replace_line(script, "@COMMANDS@\n", bash_command_table());
  replace_line(script, "@VALUES@\n", bash_value_table());
  return script;
}

// ---- zsh

std::string zsh_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string zsh_value(const OptionKey& option) {
  if (!option.choices.empty()) {
    return fmt::format("({})", joined(split(option.choices, '|')));
  }
  return option.kind == ValueKind::path ? "_files" : " ";
}

std::string zsh_option(const OptionKey& option) {
  const std::string description = zsh_escaped(option.help);
  const std::string value =
      is_flag(option) ? std::string()
                      : fmt::format(":{}:{}", zsh_escaped(option.placeholder), zsh_value(option));
  const std::string repeat =
      is_repeatable(option) || option.kind == ValueKind::level ? "*" : std::string();
  const std::string equals = is_flag(option) ? "" : "=";
  std::string out =
      quoted(fmt::format("{}{}{}[{}]{}", repeat, flag_of(option), equals, description, value));
  if (option.short_flag != '\0') {
    out += " " + quoted(fmt::format("{}-{}[{}]{}", repeat, option.short_flag, description, value));
  }
  return out;
}

std::string zsh_argument(const CommandSpec& spec) {
  const std::string many = spec.most > 1 ? "*" : "1";
  switch (spec.argument_kind) {
    case ArgumentKind::file:
      return fmt::format(" '{}:file:_files'", many);
    case ArgumentKind::shell:
      return " '1:shell:(bash zsh fish)'";
    case ArgumentKind::job:
    case ArgumentKind::topic:
    case ArgumentKind::key:
    case ArgumentKind::model:
    case ArgumentKind::provider: {
      const auto what = argument_word(spec.argument_kind);
      return fmt::format(" '{}:{}:_batchllm_words {}'", many, what, what);
    }
    default:
      return {};
  }
}

void append_zsh_function(std::string& out, const CommandSpec& spec) {
  std::string name(spec.path);
  std::replace(name.begin(), name.end(), ' ', '_');
  out += fmt::format("_batchllm{}{}() {{\n", name.empty() ? "" : "_", name);
  const auto below = commands_below(spec.path);
  if (!below.empty()) {
    out += "  local curcontext=\"$curcontext\" state line\n  local -a commands\n  commands=(\n";
    for (const CommandSpec* child : below) {
      out += "    " +
             quoted(fmt::format("{}:{}", last_word(child->path), zsh_escaped(child->summary))) +
             "\n";
    }
    out += "  )\n";
  }
  out += "  _arguments -C -s -S";
  for (const OptionKey* option : options_of(spec)) {
    out += " \\\n    " + zsh_option(*option);
  }
  if (below.empty()) {
    out += zsh_argument(spec) + "\n}\n\n";
    return;
  }
  out += " \\\n    '1:command:->command' '*::argument:->argument'\n";
  out +=
      "  case $state in\n    command) _describe command commands;;\n    argument)\n      case "
      "$line[1] in\n";
  for (const CommandSpec* child : below) {
    std::string function(child->path);
    std::replace(function.begin(), function.end(), ' ', '_');
    const std::string alias = child->alias.empty() ? "" : fmt::format("|{}", child->alias);
    out += fmt::format("        {}{}) _batchllm_{};;\n", last_word(child->path), alias, function);
  }
  out += "      esac;;\n  esac\n}\n\n";
}

std::string zsh_script() {
  std::string out = "#compdef batchllm\n# made by `batchllm completions zsh`\n\n";
  out +=
      "_batchllm_words() {\n  local -a words_found\n"
      "  words_found=(${(f)\"$(batchllm __complete $1 2>/dev/null)\"})\n"
      "  (( $#words_found )) && compadd -a words_found\n}\n\n";
  append_zsh_function(out, CommandSpec{});
  for (const CommandSpec& spec : command_table()) {
    if (!spec.group.empty()) {
      append_zsh_function(out, spec);
    }
  }
  return out +
         "if [ \"$funcstack[1]\" = \"_batchllm\" ]; then\n  _batchllm \"$@\"\nelse\n"
         "  compdef _batchllm batchllm\nfi\n";
}

// ---- fish

std::string fish_condition(const CommandSpec& spec) {
  const auto space = spec.path.find(' ');
  if (space == std::string_view::npos) {
    return fmt::format("__fish_seen_subcommand_from {}", spec.path);
  }
  const std::string alias = spec.alias.empty() ? "" : fmt::format(" {}", spec.alias);
  return fmt::format("__fish_seen_subcommand_from {}; and __fish_seen_subcommand_from {}{}",
                     spec.path.substr(0, space),
                     last_word(spec.path),
                     alias);
}

std::string fish_option(const std::string& condition, const OptionKey& option) {
  std::string out = "complete -c batchllm";
  out += condition.empty() ? "" : fmt::format(" -n {}", quoted(condition));
  out += fmt::format(" -l {}", flag_of(option).substr(2));
  out += option.short_flag == '\0' ? "" : fmt::format(" -s {}", option.short_flag);
  if (!option.choices.empty()) {
    out += fmt::format(" -x -a {}", quoted(joined(split(option.choices, '|'))));
  } else if (!is_flag(option)) {
    out += option.kind == ValueKind::path ? " -r -F" : " -x";
  }
  return out + fmt::format(" -d {}\n", quoted(option.help));
}

std::string fish_arguments(const CommandSpec& spec) {
  const std::string condition = quoted(fish_condition(spec));
  switch (spec.argument_kind) {
    case ArgumentKind::file:
      return fmt::format("complete -c batchllm -n {} -F\n", condition);
    case ArgumentKind::shell:
      return fmt::format("complete -c batchllm -n {} -a 'bash zsh fish'\n", condition);
    case ArgumentKind::job:
    case ArgumentKind::topic:
    case ArgumentKind::key:
    case ArgumentKind::model:
    case ArgumentKind::provider:
      return fmt::format("complete -c batchllm -n {} -a '(batchllm __complete {} 2>/dev/null)'\n",
                         condition,
                         argument_word(spec.argument_kind));
    default:
      return {};
  }
}

std::string fish_script() {
  std::string out = "# fish completion for batchllm; made by `batchllm completions fish`\n";
  out += "complete -c batchllm -f\n";
  for (const CommandSpec* spec : commands_below("")) {
    out += fmt::format("complete -c batchllm -n __fish_use_subcommand -a {} -d {}\n",
                       spec->path,
                       quoted(spec->summary));
  }
  for (const OptionKey* option : options_of(CommandSpec{})) {
    out += fish_option("", *option);
  }
  for (const CommandSpec& spec : command_table()) {
    if (spec.group.empty()) {
      continue;
    }
    const auto below = commands_below(spec.path);
    for (const CommandSpec* child : below) {
      out += fmt::format("complete -c batchllm -n {} -a {} -d {}\n",
                         quoted(fmt::format("__fish_seen_subcommand_from {}; and not "
                                            "__fish_seen_subcommand_from {}",
                                            spec.path,
                                            joined(names_below(spec.path)))),
                         last_word(child->path),
                         quoted(child->summary));
    }
    for (const OptionKey* option : options_of(spec)) {
      if (!section_of(*option).empty()) {
        out += fish_option(fish_condition(spec), *option);
      }
    }
    out += fish_arguments(spec);
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "bash") {
    return bash_script();
  }
  if (shell == "zsh") {
    return zsh_script();
  }
  if (shell == "fish") {
    return fish_script();
  }
  const auto near = nearest_name(shell, {"bash", "zsh", "fish"});
  throw Error(ErrorCode::usage,
              fmt::format("no completions for {}", one_line(shell, 40)),
              near ? fmt::format("did you mean {}?", *near) : "known shells: bash, zsh and fish");
}

std::string completion_words(std::string_view what) {
  std::string out;
  if (what == "topics") {
    for (const HelpTopic& topic : help_topics()) {
      out += fmt::format("{}\n", topic.name);
    }
    for (const CommandSpec* spec : commands_below("")) {
      out += fmt::format("{}\n", spec->path);
    }
  } else if (what == "keys") {
    for (const OptionKey& option : option_table()) {
      if (option.set_by != SetBy::flag) {
        out += fmt::format("{}\n", option.key);
      }
    }
  }
  if (what == "providers") {
    for (const std::string& name : ModelCatalog::built_in().provider_names()) {
      out += name + "\n";
    }
  } else if (what == "models") {
    for (const auto& [name, price] : PriceTable::built_in().entries()) {
      out += price.mode == "chat" ? name + "\n" : "";
    }
  }
  return out;
}

}  // namespace batchllm
