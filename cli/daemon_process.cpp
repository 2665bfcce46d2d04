// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_process.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/file_handle.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_program = "batchllmd";
constexpr int k_cannot_execute = 127;
constexpr std::size_t k_largest_output = std::size_t{1} << 20;

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));  // execv(3) does not change them
  }
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void cannot_start(const std::string& program, int cause) {
  throw Error(ErrorCode::daemon_unreachable,
              fmt::format("cannot start {}: {}", program, std::generic_category().message(cause)));
}

int exit_code_of(int status) {
  constexpr int k_signal_base = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : k_signal_base + WTERMSIG(status);
}

int reap(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code_of(status);
}

// Hears one process say READY=1. The kernel picks the name: nothing is left behind on disk.
class ReadySocket {
 public:
  ReadySocket() : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    auto* const address = reinterpret_cast<sockaddr*>(&local);
    socklen_t size = sizeof local;
    if (bind(socket_.get(), address, sizeof local.sun_family) != 0 ||
        getsockname(socket_.get(), address, &size) != 0) {
      cannot_start(std::string(k_program), errno);
    }
    const std::size_t length = size - offsetof(sockaddr_un, sun_path);
    name_ = "@" + std::string(local.sun_path + 1, length - 1);
  }

  int descriptor() const noexcept { return socket_.get(); }

  // The value of NOTIFY_SOCKET.
  const std::string& name() const noexcept { return name_; }

  bool heard_ready() const {
    std::array<char, 4096> message{};
    const auto got = recv(socket_.get(), message.data(), message.size(), 0);
    return got > 0 &&
           std::string_view(message.data(), static_cast<std::size_t>(got)).starts_with("READY=1");
  }

 private:
  FileHandle socket_;
  std::string name_;
};

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become_service(char* const* words, char* const* variables, int output) {
  const int nothing = open("/dev/null", O_RDONLY);
  if (setsid() < 0 || chdir("/") != 0 || dup2(nothing, STDIN_FILENO) < 0 ||
      dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
    _exit(k_cannot_execute);
  }
  execve(words[0], words, variables);
  _exit(k_cannot_execute);
}

// This process's variables, but for those of a service manager that are not meant for the child.
std::vector<std::string> variables_with(const ReadySocket& ready) {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("NOTIFY_SOCKET=") && !text.starts_with("WATCHDOG_") &&
        !text.starts_with("LISTEN_") && !text.starts_with("JOURNAL_STREAM=")) {
      variables.emplace_back(text);
    }
  }
  variables.push_back("NOTIFY_SOCKET=" + ready.name());
  return variables;
}

// The error of a program that ended, out of what it wrote: "error: ...\n  hint: ...".
[[noreturn]] void pass_on(int exit_code, const std::string& output_file) {
  const std::string text = read_file(output_file, k_largest_output);
  std::string message;
  std::string hint;
  constexpr std::string_view k_error = "error: ";
  constexpr std::string_view k_hint = "  hint: ";
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with(k_error)) {
      message = line.substr(k_error.size());
      hint.clear();
    } else if (line.starts_with(k_hint)) {
      hint = line.substr(k_hint.size());
    }
  }
  if (message.empty()) {
    message = fmt::format("it ended with {}", exit_code);
    hint = fmt::format("see: {}", output_file);
  }
  ErrorCode code = ErrorCode::daemon_unreachable;
  for (const ErrorCode candidate :
       {ErrorCode::config_invalid, ErrorCode::job_locked, ErrorCode::storage}) {
    code = error_kind(candidate).exit_code == exit_code ? candidate : code;
  }
  throw Error(code, fmt::format("batchllmd does not start: {}", message), hint)
      .with_detail("daemon_exit_code", std::to_string(exit_code));
}

void wait_until_ready(pid_t child, const ReadySocket& ready, const std::string& output_file) {
  constexpr std::chrono::minutes k_patience{1};
  const auto deadline = std::chrono::steady_clock::now() + k_patience;
  const FileHandle process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  std::array watched = {pollfd{ready.descriptor(), POLLIN, 0}, pollfd{process.get(), POLLIN, 0}};
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int found = left.count() <= 0
                          ? 0
                          : poll(watched.data(), watched.size(), static_cast<int>(left.count()));
    if (found < 0 && errno != EINTR) {
      cannot_start(std::string(k_program), errno);
    }
    if (found == 0) {
      throw Error(ErrorCode::timeout,
                  fmt::format("batchllmd (process {}) has not become ready within a minute", child),
                  "see: batchllm daemon logs");
    }
    if (watched[0].revents != 0 && ready.heard_ready()) {
      return;
    }
    if (watched[1].revents != 0) {
      pass_on(reap(child), output_file);
    }
  }
}

}  // namespace

std::string find_daemon_program(const EnvironmentLookup& environment) {
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  std::vector<fs::path> folders{self.parent_path()};
  for (const std::string& folder : split(environment("PATH").value_or(""), ':')) {
    folders.emplace_back(folder);
  }
  for (const fs::path& folder : folders) {
    const std::string candidate = (folder / k_program).string();
    if (folder.is_absolute() && fs::is_regular_file(candidate, ignored) &&
        access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  throw Error(ErrorCode::daemon_unreachable,
              fmt::format("{} is neither beside {} nor in PATH", k_program, self.string()),
              "install it: it comes with batchllm");
}

void become(const std::vector<std::string>& words) {
  execvp(words.front().c_str(), pointers_to(words).data());
  cannot_start(words.front(), errno);
}

int run_to_end(const std::vector<std::string>& words) {
  const auto pointers = pointers_to(words);
  const pid_t child = fork();
  if (child < 0) {
    cannot_start(words.front(), errno);
  }
  if (child == 0) {
    execvp(pointers[0], pointers.data());
    _exit(k_cannot_execute);
  }
  const int code = reap(child);
  if (code == k_cannot_execute) {
    cannot_start(words.front(), ENOENT);
  }
  return code;
}

int start_in_background(const std::vector<std::string>& words, const std::string& output_file) {
  constexpr unsigned k_owner_only = 0600;
  const FileHandle output(
      open(output_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, k_owner_only));
  if (!output.is_open()) {
    throw_storage_error("write", output_file, errno);
  }
  const ReadySocket ready;
  const std::vector<std::string> variables = variables_with(ready);
  const auto word_pointers = pointers_to(words);
  const auto variable_pointers = pointers_to(variables);
  const pid_t child = fork();
  if (child < 0) {
    cannot_start(words.front(), errno);
  }
  if (child == 0) {
    become_service(word_pointers.data(), variable_pointers.data(), output.get());
  }
  wait_until_ready(child, ready, output_file);
  return child;
}

}  // namespace batchllm
