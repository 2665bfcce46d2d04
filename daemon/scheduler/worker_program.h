// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>

namespace batchllm::daemon {

// The program that workers run, held open from the daemon's start on: the two speak a language
// without versions, and an upgrade puts other files in the place of those of a daemon that runs.
//
// Thread-safe.
class WorkerProgram {
 public:
  // Throws Error(daemon_unreachable) when `file` cannot be executed.
  explicit WorkerProgram(const std::filesystem::path& file);

  // What to execute: that very file, whatever has its name by now. Throws
  // Error(daemon_unreachable) when somebody wrote into it.
  std::string path() const;

 private:
  std::filesystem::path file_;
  FileHandle handle_;
  std::int64_t bytes_ = 0;
  timespec written_{};
};

// batchllm-worker beside the program `daemon`, or where an installation has it: in the folder for
// programs that only programs start. Throws Error(daemon_unreachable) when it is in neither.
std::filesystem::path find_worker_program(const std::filesystem::path& daemon);

// The executable of this process.
std::filesystem::path own_program();

}  // namespace batchllm::daemon
