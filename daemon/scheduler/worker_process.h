// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/scheduler/worker_program.h"
#include "daemon/worker/line_channel.h"
#include "daemon/worker/worker_message.h"

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace batchllm::daemon {

// A worker as the daemon has it: a child process and the socket to it.
class WorkerProcess {
 public:
  // Starts `program` in a process group of its own. Throws Error(storage) when the system has no
  // more processes or files for it, and what WorkerProgram::path() throws.
  static WorkerProcess start(const WorkerProgram& program, const std::filesystem::path& state_dir);

  WorkerProcess(WorkerProcess&& other) noexcept = default;
  WorkerProcess& operator=(WorkerProcess&& other) = delete;
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Closes the socket, upon which the worker leaves by itself.
  ~WorkerProcess() = default;

  pid_t pid() const noexcept { return pid_; }

  // "worker:4711", as in events.
  std::string name() const;

  LineChannel& channel() noexcept { return *channel_; }

  // Becomes readable when the process ends.
  int end_descriptor() const noexcept { return end_.get(); }

  bool send(const WorkerMessage& message) { return channel_->send(worker_message_line(message)); }

  // Says that there is no more work: it leaves when it has saved what it has.
  void dismiss() noexcept;

  // Ends it at once and waits for that: afterwards it writes nothing any more.
  void kill() noexcept;

  // How it ended, once it has: "exit status 1", "signal 9".
  std::optional<std::string> ending();

 private:
  WorkerProcess(pid_t pid, FileHandle socket);

  pid_t pid_;
  FileHandle end_;
  std::optional<std::string> ending_;
  std::unique_ptr<LineChannel> channel_;
};

}  // namespace batchllm::daemon
