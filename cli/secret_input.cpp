// SPDX-License-Identifier: Apache-2.0
#include "cli/secret_input.h"

#include "cli/terminal.h"
#include "core/config_keys.h"
#include "core/error.h"
#include "core/file_handle.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_secret = std::size_t{64} << 10;

// A terminal that neither shows what is typed nor makes signals of it, for as long as this lives.
class SilentTerminal {
 public:
  explicit SilentTerminal(int descriptor) : descriptor_(descriptor) {
    tcgetattr(descriptor_, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    tcsetattr(descriptor_, TCSAFLUSH, &silent);
  }

  ~SilentTerminal() { tcsetattr(descriptor_, TCSADRAIN, &before_); }

  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  int descriptor_;
  termios before_{};
};

// One line as it is typed, with the keys that correct it. Asked for when nothing is shown any more:
// who answers at once is heard.
std::string typed_line(int descriptor, std::string_view question) {
  constexpr char k_interrupt = 0x03;
  constexpr char k_end = 0x04;
  constexpr char k_erase_line = 0x15;
  const SilentTerminal silent(descriptor);
  write_error_stream(fmt::format("{} ", printable(question)));
  std::string text;
  char byte = 0;
  while (text.size() < k_longest_secret) {
    const ssize_t got = read(descriptor, &byte, 1);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0 || byte == '\n' || byte == '\r' || byte == k_end) {
      break;
    }
    if (byte == k_interrupt) {
      wipe(text);
      throw Error(ErrorCode::interrupted, "interrupted; nothing was changed");
    }
    if (byte == k_erase_line) {
      wipe(text);
    } else if (byte == '\b' || byte == 0x7F) {
      if (!text.empty()) {
        text.pop_back();
      }
    } else {
      text += byte;
    }
  }
  return text;
}

Secret taken(std::string& text) {
  Secret secret(trim(text));
  wipe(text);
  return secret;
}

bool forbids_questions(const CommandLine& line, const EnvironmentLookup& environment) {
  const auto flag = line.flags.find("no_input");
  const std::string text = flag != line.flags.end() ? flag->second.texts.front()
                                                    : environment("BATCHLLM_NO_INPUT").value_or("");
  return parse_boolean(text).value_or(false);
}

}  // namespace

std::optional<Secret> ask_secret(std::string_view question) {
  FileHandle own;
  int descriptor = STDIN_FILENO;
  if (isatty(STDIN_FILENO) != 1) {
    own = FileHandle(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!own.is_open()) {
      return std::nullopt;
    }
    descriptor = own.get();
  }
  std::string text;
  try {
    text = typed_line(descriptor, question);
  } catch (const Error&) {
    write_error_stream("\n");
    throw;
  }
  write_error_stream("\n");
  Secret secret = taken(text);
  if (secret.empty()) {
    throw Error(ErrorCode::declined, "nothing was entered; nothing was changed");
  }
  return secret;
}

Secret read_secret_from_stdin() {
  std::string text;
  char block[4096];
  while (text.size() <= k_longest_secret) {
    const ssize_t got = read(STDIN_FILENO, block, sizeof block);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    text.append(block, static_cast<std::size_t>(got));
  }
  explicit_bzero(block, sizeof block);
  if (text.size() > k_longest_secret || trim(text).empty()) {
    const bool is_empty = trim(text).empty();
    wipe(text);
    throw Error(ErrorCode::usage,
                is_empty ? "standard input holds no key" : "standard input is too long for a key");
  }
  return taken(text);
}

secrets::AskPassphrase passphrase_from_terminal(const CommandLine& line,
                                                const EnvironmentLookup& environment) {
  if (forbids_questions(line, environment)) {
    return {};
  }
  return [](bool is_new) -> std::optional<Secret> {
    auto first =
        ask_secret(is_new ? "New passphrase of the key store:" : "Passphrase of the key store:");
    if (!first || !is_new) {
      return first;
    }
    const auto second = ask_secret("The same again:");
    if (!second || second->reveal() != first->reveal()) {
      throw Error(ErrorCode::declined, "the two passphrases differ; nothing was changed");
    }
    return first;
  };
}

}  // namespace batchllm
