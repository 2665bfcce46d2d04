// SPDX-License-Identifier: Apache-2.0
#include "cli/ui.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_answer = 64;

// One line from standard input, byte by byte: what follows belongs to somebody else.
std::string read_answer() {
  std::string answer;
  char byte = 0;
  while (answer.size() < k_longest_answer) {
    const ssize_t got = read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0 || byte == '\n') {
      break;
    }
    answer += byte;
  }
  return lowercase(trim(answer));
}

std::string text_of(const Settings& settings, std::string_view key) {
  const SettingValue* value = settings.find(key);
  const OptionKey* option = find_option(key);
  if (value == nullptr || option == nullptr || value->texts.empty()) {
    return option == nullptr ? std::string() : std::string(option->default_text);
  }
  check_setting(*option, *value);
  return value->texts.front();
}

bool flag_in(const Settings& settings, std::string_view key) {
  return parse_boolean(text_of(settings, key)).value_or(false);
}

ColorChoice color_in(std::string_view text) {
  if (text == "always") {
    return ColorChoice::always;
  }
  return text == "never" ? ColorChoice::never : ColorChoice::automatic;
}

ProgressMode progress_in(std::string_view text, const Terminal& terminal, bool quiet) {
  if (text == "bar") {
    return ProgressMode::bar;
  }
  if (text == "plain") {
    return ProgressMode::plain;
  }
  if (text == "json") {
    return ProgressMode::json;
  }
  if (text == "none" || quiet) {
    return ProgressMode::none;
  }
  const bool can_redraw = terminal.error_is_terminal && !terminal.dumb && !terminal.is_ci;
  return can_redraw ? ProgressMode::bar : ProgressMode::plain;
}

MessageStyle style_of(const UiOptions& options, const Terminal& terminal) {
  return {options.json, options.quiet, options.verbose, terminal.error_color};
}

}  // namespace

Ui::Ui(UiOptions options, Terminal terminal, Directories directories)
    : options_(std::move(options)),
      terminal_(terminal),
      directories_(std::move(directories)),
      messages_(style_of(options_, terminal_)) {}

std::string Ui::state_dir() const {
  return state_directory(options_.state_dir, directories_);
}

void Ui::out(std::string_view text) const {
  write_all(STDOUT_FILENO, text, "standard output");
}

void Ui::confirm(std::string_view question) const {
  if (options_.yes) {
    return;
  }
  if (options_.no_input || !terminal_.input_is_terminal || !terminal_.error_is_terminal) {
    throw Error(ErrorCode::declined,
                fmt::format("nobody can be asked: {}", question),
                "--yes answers every question with yes");
  }
  write_error_stream(fmt::format("{} [y/N] ", printable(question)));
  const std::string answer = read_answer();
  if (answer != "y" && answer != "yes") {
    throw Error(ErrorCode::declined, "declined; nothing was changed");
  }
}

std::string Ui::ask(std::string_view question, const std::string& hint) const {
  if (options_.no_input || !terminal_.input_is_terminal || !terminal_.error_is_terminal) {
    throw Error(ErrorCode::declined, fmt::format("nobody can be asked: {}", question), hint);
  }
  write_error_stream(fmt::format("{} ", printable(question)));
  return read_answer();
}

Ui first_ui(const std::vector<std::string>& words, const EnvironmentLookup& environment) {
  UiOptions options;
  const auto json = environment("BATCHLLM_JSON");
  options.json = json && parse_boolean(*json).value_or(false);
  ColorChoice color = ColorChoice::automatic;
  const auto end = std::find(words.begin(), words.end(), "--");
  for (auto word = words.begin(); word != end; ++word) {
    if (*word == "--json") {
      options.json = true;
    } else if (word->starts_with("--color=")) {
      color = color_in(std::string_view(*word).substr(8));
    } else if (*word == "--color" && word + 1 != end) {
      color = color_in(*(word + 1));
    }
  }
  return Ui(options, look_at_terminal(color, environment), find_directories(environment));
}

Ui make_ui(const Settings& settings, const EnvironmentLookup& environment) {
  check_exclusive(settings, Command::help);  // every command takes the global options
  UiOptions options;
  options.json = flag_in(settings, "json");
  options.quiet = flag_in(settings, "quiet");
  options.verbose = static_cast<int>(parse_integer(text_of(settings, "verbose")).value_or(0));
  options.yes = flag_in(settings, "yes");
  options.no_input = flag_in(settings, "no_input");
  options.state_dir = text_of(settings, "state_dir");
  options.color = color_in(text_of(settings, "color"));
  const Terminal terminal = look_at_terminal(options.color, environment);
  options.progress = progress_in(text_of(settings, "progress"), terminal, options.quiet);
  return Ui(options, terminal, find_directories(environment));
}

}  // namespace batchllm
