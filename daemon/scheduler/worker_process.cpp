// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/worker_process.h"

#include "core/error.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

namespace batchllm::daemon {
namespace {

constexpr int k_worker_descriptor = 3;

[[noreturn]] void cannot_start(int error) {
  throw Error(ErrorCode::storage,
              fmt::format("cannot start a worker: {}", std::strerror(error)),  // NOLINT
              "the system's limit of processes or open files may be reached (ulimit -a)");
}

// What posix_spawn needs, undone at the end of its life.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }

  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  SpawnPlan(SpawnPlan&&) = delete;
  SpawnPlan& operator=(SpawnPlan&&) = delete;

  // A Ctrl-C at the daemon's terminal is for the daemon, and no signal is blocked.
  pid_t spawn(const std::string& program, int socket, std::vector<std::string>& words) {
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, socket, k_worker_descriptor);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    std::vector<char*> arguments;
    for (std::string& word : words) {
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    pid_t pid = -1;
    const int error =
        posix_spawn(&pid, program.c_str(), &actions_, &attributes_, arguments.data(), environ);
    if (error != 0) {
      cannot_start(error);
    }
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::string ending_text(int status) {
  return WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                             : fmt::format("exit status {}", WEXITSTATUS(status));
}

}  // namespace

WorkerProcess WorkerProcess::start(const WorkerProgram& program,
                                   const std::filesystem::path& state_dir) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    cannot_start(errno);
  }
  FileHandle ours(ends[0]);
  const FileHandle theirs(ends[1]);
  std::vector<std::string> words{"batchllm-worker", BATCHLLM_VERSION, state_dir.string()};
  const pid_t pid = SpawnPlan().spawn(program.path(), theirs.get(), words);
  return {pid, std::move(ours)};
}

WorkerProcess::WorkerProcess(pid_t pid, FileHandle socket)
    : pid_(pid),
      end_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
      channel_(std::make_unique<LineChannel>(std::move(socket))) {}

std::string WorkerProcess::name() const {
  return fmt::format("worker:{}", pid_);
}

void WorkerProcess::dismiss() noexcept {
  shutdown(channel_->descriptor(), SHUT_WR);
}

void WorkerProcess::kill() noexcept {
  if (!ending_) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ending_ = waitpid(pid_, &status, 0) == pid_ ? ending_text(status) : "killed";
  }
}

std::optional<std::string> WorkerProcess::ending() {
  int status = 0;
  if (!ending_ && waitpid(pid_, &status, WNOHANG) == pid_) {
    ending_ = ending_text(status);
  }
  return ending_;
}

}  // namespace batchllm::daemon
