// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace batchllm {
namespace {

bool is_set(const EnvironmentLookup& environment, const char* name) {
  const auto value = environment(name);
  return value && !value->empty();
}

bool speaks_utf8(const EnvironmentLookup& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = environment(name);
    if (value && !value->empty()) {
      const std::string locale = lowercase(*value);
      return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
    }
  }
  return false;
}

bool is_dumb(const EnvironmentLookup& environment) {
  const auto term = environment("TERM");
  return !term || term->empty() || *term == "dumb";
}

}  // namespace

bool wants_color(ColorChoice choice, bool is_terminal, const EnvironmentLookup& environment) {
  if (choice != ColorChoice::automatic) {
    return choice == ColorChoice::always;
  }
  if (is_set(environment, "NO_COLOR")) {
    return false;
  }
  const auto force = environment("CLICOLOR_FORCE");
  if (force && !force->empty() && *force != "0") {
    return true;
  }
  return is_terminal && !is_dumb(environment);
}

Terminal look_at_terminal(ColorChoice choice, const EnvironmentLookup& environment) {
  Terminal terminal;
  terminal.input_is_terminal = isatty(STDIN_FILENO) == 1;
  terminal.output_is_terminal = isatty(STDOUT_FILENO) == 1;
  terminal.error_is_terminal = isatty(STDERR_FILENO) == 1;
  terminal.output_color = wants_color(choice, terminal.output_is_terminal, environment);
  terminal.error_color = wants_color(choice, terminal.error_is_terminal, environment);
  terminal.utf8 = speaks_utf8(environment);
  terminal.dumb = is_dumb(environment);
  const auto ci = environment("CI");
  terminal.is_ci = ci && !ci->empty() && *ci != "false" && *ci != "0";
  return terminal;
}

int terminal_width() {
  constexpr int k_usual_width = 80;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this program changes the environment
  const char* columns = std::getenv("COLUMNS");
  const auto width = columns == nullptr ? std::nullopt : parse_integer(columns);
  constexpr int k_widest = 10'000;
  return width && *width > 0 && *width < k_widest ? static_cast<int>(*width) : k_usual_width;
}

void write_all(int descriptor, std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const ssize_t sent = write(descriptor, text.data(), text.size());
    if (sent >= 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) {
      continue;
    }
    const int reason = errno;
    Error error(
        reason == ENOSPC ? ErrorCode::storage_full : ErrorCode::storage,
        fmt::format("cannot write to {}: {}", name, std::generic_category().message(reason)));
    throw reason == EPIPE ? std::move(error).with_detail("closed", "yes") : error;
  }
}

void write_error_stream(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t sent = write(STDERR_FILENO, text.data(), text.size());
    if (sent < 0 && errno != EINTR) {
      return;
    }
    text.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
  }
}

}  // namespace batchllm
