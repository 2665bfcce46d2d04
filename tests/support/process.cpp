// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace batchllm::test {
namespace {

struct Pair {
  int read_end = -1;
  int write_end = -1;
};

Pair make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  return {ends[0], ends[1]};
}

Pair make_terminal(unsigned short columns) {
  Pair ends;
  winsize size{};
  size.ws_col = columns;
  size.ws_row = 24;
  if (openpty(&ends.read_end, &ends.write_end, nullptr, nullptr, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "openpty");
  }
  fcntl(ends.read_end, F_SETFD, FD_CLOEXEC);
  fcntl(ends.write_end, F_SETFD, FD_CLOEXEC);
  termios attributes{};
  tcgetattr(ends.write_end, &attributes);
  attributes.c_oflag &= ~static_cast<tcflag_t>(OPOST);  // "\n" stays "\n" in what tests compare
  attributes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(ends.write_end, TCSANOW, &attributes);
  return ends;
}

std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::map<std::string, std::string> variables = {{"LC_ALL", "C.UTF-8"}, {"HOME", "/nonexistent"}};
  // Sanitizers and coverage are told by variables what to do; the child is built with them as well.
  for (const char* name :
       {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "GCOV_PREFIX"}) {
    if (const char* value = std::getenv(name); value != nullptr) {
      variables[name] = value;
    }
  }
  for (const auto& [name, value] : options.environment) {
    variables[name] = value;
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : variables) {
    lines.push_back(name + "=" + value);
  }
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) {
    list.push_back(text.data());
  }
  list.push_back(nullptr);
  return list;
}

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(
    const ProcessOptions& options, char** argv, char** environment, int in, int out, int err) {
  setsid();
  if (options.terminal) {
    ioctl(out, TIOCSCTTY, 0);
  }
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  if (options.largest_file) {
    const rlimit limit = {*options.largest_file, *options.largest_file};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) {
    _exit(126);
  }
  execvpe(argv[0], argv, environment);
  _exit(127);
}

bool drain(int& descriptor, std::string& into) {
  std::array<char, 65536> buffer{};
  const auto got = read(descriptor, buffer.data(), buffer.size());
  if (got > 0) {
    into.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  return got < 0 && (errno == EINTR || errno == EAGAIN);  // EIO: the terminal's last user is gone
}

}  // namespace

Process::Process(const ProcessOptions& options)
    : pending_input_(options.input),
      keep_input_open_(options.terminal_input) {
  signal(SIGPIPE, SIG_IGN);  // a child that does not read its input is no reason to die
  auto argv_texts = options.argv;
  auto environment_texts = environment_of(options);
  auto argv = pointers(argv_texts);
  auto environment = pointers(environment_texts);

  Pair out = options.terminal ? make_terminal(options.columns) : make_pipe();
  Pair err = options.terminal ? Pair{} : make_pipe();
  Pair in = options.terminal_input ? Pair{} : make_pipe();
  const int child_in = options.terminal_input ? out.write_end : in.read_end;
  const int child_err = options.terminal ? out.write_end : err.write_end;
  id_ = fork();
  if (id_ < 0) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (id_ == 0) {
    become(options, argv.data(), environment.data(), child_in, out.write_end, child_err);
  }
  close_descriptor(out.write_end);
  close_descriptor(err.write_end);
  close_descriptor(in.read_end);
  output_ = options.terminal ? -1 : out.read_end;
  error_ = options.terminal ? out.read_end : err.read_end;
  input_ = options.terminal_input ? fcntl(out.read_end, F_DUPFD_CLOEXEC, 3) : in.write_end;
  fcntl(input_, F_SETFL, fcntl(input_, F_GETFL) | O_NONBLOCK);
}

Process::~Process() {
  if (!reaped_ && id_ > 0) {
    kill(id_, SIGKILL);
    int status = 0;
    waitpid(id_, &status, 0);
  }
  close_descriptor(input_);
  close_descriptor(output_);
  close_descriptor(error_);
}

void Process::close_descriptor(int& descriptor) noexcept {
  if (descriptor >= 0) {
    close(descriptor);
    descriptor = -1;
  }
}

void Process::send_signal(int number) const {
  kill(id_, number);
}

bool Process::is_running() const {
  siginfo_t state{};
  return !reaped_ &&
         waitid(P_PID, static_cast<id_t>(id_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         state.si_pid == 0;
}

void Process::type(std::string_view text) const {
  if (write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("the child does not take its input");
  }
}

bool Process::pump(int timeout_ms) {
  if (pending_input_.empty() && !keep_input_open_) {
    close_descriptor(input_);
  }
  if (output_ < 0 && error_ < 0) {
    return false;
  }
  const int writing = pending_input_.empty() ? -1 : input_;
  std::array<pollfd, 3> watched = {
      {{output_, POLLIN, 0}, {error_, POLLIN, 0}, {writing, POLLOUT, 0}}};
  if (poll(watched.data(), watched.size(), timeout_ms) < 0) {
    return errno == EINTR;
  }
  if (watched[0].revents != 0 && !drain(output_, result_.output_text)) {
    close_descriptor(output_);
  }
  if (watched[1].revents != 0 && !drain(error_, result_.error_text)) {
    close_descriptor(error_);
  }
  if (watched[2].revents != 0) {
    const auto sent = write(input_, pending_input_.data(), pending_input_.size());
    if (sent > 0) {
      pending_input_.erase(0, static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      pending_input_.clear();
    }
  }
  return true;
}

void Process::exchange() {
  pump(0);
}

bool Process::wait_for_output(std::string_view text) {
  while (result_.output_text.find(text) == std::string::npos) {
    if (!pump()) {
      return false;
    }
  }
  return true;
}

bool Process::wait_for_error(std::string_view text) {
  while (result_.error_text.find(text) == std::string::npos) {
    if (!pump()) {
      return false;
    }
  }
  return true;
}

ProcessResult Process::wait() {
  while (pump()) {
  }
  int status = 0;
  rusage usage{};
  while (!reaped_ && wait4(id_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  if (!reaped_) {
    reaped_ = true;
    result_.peak_memory_kib = usage.ru_maxrss;
    result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return result_;
}

ProcessResult run_process(const ProcessOptions& options) {
  return Process(options).wait();
}

}  // namespace batchllm::test
