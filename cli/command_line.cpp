// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include "core/error.h"
#include "core/text.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace batchllm {
namespace {

// CLI11 takes `--name=` for `--name` with the next word as its value, splits "[a,b]" into two
// values and ends a command at "++". A mark at the end of such a word prevents all three; it is
// taken off again afterwards.
constexpr char k_mark = '\x01';

std::string protect(std::string word) {
  const bool empty_value =
      word.starts_with("--") && word.find('=') == word.size() - 1 && word.size() > 1;
  const bool brackets = word.starts_with('[') && word.ends_with(']');
  if (empty_value || brackets || word == "++" || word.ends_with(k_mark)) {
    word += k_mark;
  }
  return word;
}

std::string restore(std::string word) {
  if (word.ends_with(k_mark)) {
    word.pop_back();
  }
  return word;
}

// One level of the command tree as CLI11 sees it.
struct Level {
  CLI::App* app = nullptr;
  const CommandSpec* spec = nullptr;
  std::vector<std::pair<CLI::Option*, const OptionKey*>> options;
  CLI::Option* brief_help = nullptr;
  CLI::Option* arguments = nullptr;
};

void add_options(Level& level) {
  const CommandSpec top{};
  for (const OptionKey* option : options_of(level.spec == nullptr ? top : *level.spec)) {
    std::string names = flag_of(*option);
    if (option->key == "help") {
      level.brief_help = level.app->add_flag("-h");
    } else if (option->short_flag != '\0') {
      names += fmt::format(",-{}", option->short_flag);
    }
    CLI::Option* added =
        is_flag(*option) ? level.app->add_flag(names) : level.app->add_option(names);
    added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    level.options.emplace_back(added, option);
  }
}

// The App tree, one level for each row of the command table and one for the top.
class CommandTree {
 public:
  CommandTree() {
    add(top_, nullptr);
    for (const CommandSpec& spec : command_table()) {
      const auto parent = spec.path.substr(0, spec.path.size() - last_word(spec.path).size());
      CLI::App* above = parent.empty() ? &top_ : apps_.at(std::string(trim(parent)));
      CLI::App* app = above->add_subcommand(std::string(last_word(spec.path)));
      if (!spec.alias.empty()) {
        app->alias(std::string(spec.alias));
      }
      apps_[std::string(spec.path)] = app;
      add(*app, &spec);
    }
  }

  // The levels that the words went through, the top first.
  std::vector<const Level*> parse(const std::vector<std::string>& words) {
    std::vector<std::string> reversed;
    std::transform(words.rbegin(), words.rend(), std::back_inserter(reversed), protect);
    try {
      top_.parse(reversed);
    } catch (const CLI::ParseError& error) {
      rethrow(error);
    }
    return path();
  }

 private:
  void add(CLI::App& app, const CommandSpec* spec) {
    app.set_help_flag();
    app.allow_extras();
    app.require_subcommand(0, 1);
    Level level{&app, spec, {}, nullptr, nullptr};
    add_options(level);
    if (spec != nullptr && spec->command != Command::none) {
      level.arguments = app.add_option("arguments");
      level.arguments->expected(0, CLI::detail::expected_max_vector_size)->allow_extra_args();
    }
    levels_.push_back(std::move(level));
  }

  std::vector<const Level*> path() const {
    std::vector<const Level*> found;
    for (const Level& level : levels_) {
      if (level.app == &top_ || level.app->parsed()) {
        found.push_back(&level);
      }
    }
    return found;
  }

  // The only error that the tree leaves to CLI11 is an option without its value. Its message starts
  // with the option's name.
  [[noreturn]] void rethrow(const CLI::ParseError& error) const {
    const std::string text = error.what();
    const std::string name = text.substr(0, text.find(':'));
    for (const Level* level : path()) {
      for (const auto& [added, option] : level->options) {
        if (added->get_name() == name) {
          throw Error(ErrorCode::usage,
                      fmt::format("{} needs a value", name),
                      fmt::format("{} {}: {}", name, option->placeholder, option->help));
        }
      }
    }
    throw Error(ErrorCode::usage, text);
  }

  CLI::App top_;
  std::map<std::string, CLI::App*> apps_;
  std::vector<Level> levels_;
};

std::string see_help(const CommandLine& line) {
  return fmt::format("see: {} --help", line.call());
}

std::string with_guess(const std::optional<std::string>& near, const std::string& otherwise) {
  return near ? fmt::format("did you mean {}?  {}", *near, otherwise) : otherwise;
}

// Where an option that this command does not take would be right: "--port is an option of
// simulate".
std::string belongs_elsewhere(std::string_view name) {
  std::vector<std::string> homes;
  for (const CommandSpec& spec : command_table()) {
    if (!spec.group.empty() && find_flag(spec.command, name) != nullptr) {
      homes.push_back(fmt::format("batchllm {}", spec.path));
    }
  }
  return homes.empty() ? std::string()
                       : fmt::format("--{} is an option of {}", name, name_list(homes));
}

[[noreturn]] void refuse_option(const CommandLine& line, const Level& level, std::string word) {
  word = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const auto& [added, option] : level.options) {
    known.push_back(flag_of(*option));
  }
  const bool is_long = word.starts_with("--");
  // An option that another command has is no typing mistake, however near one of this one's is.
  std::string hint = is_long ? belongs_elsewhere(word.substr(2)) : std::string();
  if (hint.empty()) {
    hint = with_guess(is_long ? nearest_name(word, known) : std::nullopt, see_help(line));
  }
  throw Error(ErrorCode::usage, fmt::format("unknown option {}", one_line(word, 60)), hint)
      .with_detail("option", one_line(word, 60));
}

[[noreturn]] void refuse_command(const CommandLine& line, const std::string& word) {
  std::vector<std::string> known;
  for (const CommandSpec* spec :
       commands_below(line.command == nullptr ? "" : line.command->path)) {
    known.emplace_back(last_word(spec->path));
  }
  const auto near = nearest_name(word, known);
  std::string hint = fmt::format("commands: {}   {}", name_list(known, 20), see_help(line));
  if (near) {
    hint = fmt::format("did you mean {} {}?  {}", line.call(), *near, see_help(line));
  } else if (line.command == nullptr && word.find('.') != std::string::npos) {
    hint = fmt::format("to run a prompt over a file: batchllm run {} -p TEXT", one_line(word, 60));
  }
  const std::string_view group = line.command == nullptr ? "" : line.command->path;
  throw Error(
      ErrorCode::usage,
      fmt::format("unknown command {}{}{}", group, group.empty() ? "" : " ", one_line(word, 60)),
      hint)
      .with_detail("command", one_line(word, 60));
}

// What CLI11 did not understand: options, or words where a command should stand.
void refuse_unknown(const CommandLine& line, const Level& level) {
  const auto unknown = level.app->remaining(false);
  const auto option = std::find_if(unknown.begin(), unknown.end(), [](const std::string& word) {
    return word.size() > 1 && word.starts_with('-');
  });
  if (option != unknown.end()) {
    refuse_option(line, level, restore(*option));
  }
  for (const std::string& word : unknown) {
    if (line.help == HelpWanted::none) {
      refuse_command(line, restore(word));
    }
  }
}

void refuse_wrong_count(const CommandLine& line) {
  const CommandSpec& spec = *line.command;
  if (line.arguments.size() > spec.most) {
    const std::string extra = one_line(line.arguments.at(spec.most), 60);
    throw Error(
        ErrorCode::usage,
        spec.most == 0
            ? fmt::format("{} takes no argument: {}", line.call(), extra)
            : fmt::format(
                  "{} takes one {}; {} is one too many", line.call(), spec.arguments, extra),
        see_help(line));
  }
  if (line.arguments.size() < spec.least) {
    const bool wants_input = spec.argument_kind == ArgumentKind::file;
    throw Error(ErrorCode::usage,
                fmt::format("{} needs {}",
                            line.call(),
                            wants_input ? "a file to read: INPUT" : std::string(spec.arguments)),
                wants_input ? "- reads standard input; " + see_help(line) : see_help(line));
  }
}

void take_level(CommandLine& line, const Level& level) {
  line.command = level.spec == nullptr ? line.command : level.spec;
  for (const auto& [added, option] : level.options) {
    if (added->count() == 0) {
      continue;
    }
    if (option->key == "help") {
      line.help = HelpWanted::full;
    } else if (option->key == "version") {
      line.version = true;
    } else {
      std::vector<std::string> given;
      const auto& results = added->results();
      std::transform(results.begin(), results.end(), std::back_inserter(given), restore);
      add_flag(line.flags, *option, given);
    }
  }
  if (level.brief_help->count() > 0 && line.help == HelpWanted::none) {
    line.help = HelpWanted::brief;
  }
  if (level.arguments != nullptr) {
    for (const std::string& word : level.arguments->results()) {
      line.arguments.push_back(restore(word));
    }
  }
}

}  // namespace

std::string CommandLine::call() const {
  return command == nullptr ? "batchllm" : fmt::format("batchllm {}", command->path);
}

CommandLine parse_command_line(const std::vector<std::string>& words) {
  // Everything after "--" is an argument. CLI11 would give it back to the level above, options and
  // all, when a command has an argument already.
  const auto end = std::find(words.begin(), words.end(), "--");
  CommandTree tree;
  CommandLine line;
  const auto levels = tree.parse({words.begin(), end});
  for (const Level* level : levels) {
    take_level(line, *level);
  }
  if (end != words.end()) {
    line.arguments.insert(line.arguments.end(), end + 1, words.end());
  }
  for (const Level* level : levels) {
    CommandLine here = line;
    here.command = level->spec;
    refuse_unknown(here, *level);
  }
  if (line.command != nullptr && line.command->command != Command::none &&
      line.help == HelpWanted::none && !line.version) {
    refuse_wrong_count(line);
  }
  return line;
}

}  // namespace batchllm
