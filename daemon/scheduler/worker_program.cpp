// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/worker_program.h"

#include "core/error.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_name = "batchllm-worker";
constexpr std::string_view k_hint = "install it: it comes with batchllmd";
// Above what a new process has as its standard streams and as its socket.
constexpr int k_lowest_descriptor = 10;

bool is_program(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0;
}

}  // namespace

WorkerProgram::WorkerProgram(const fs::path& file) : file_(file) {
  const FileHandle opened(open(file.c_str(), O_PATH | O_CLOEXEC));
  if (opened.is_open()) {
    handle_ = FileHandle(fcntl(opened.get(), F_DUPFD_CLOEXEC, k_lowest_descriptor));
  }

  struct stat status {};

  if (!handle_.is_open() || fstat(handle_.get(), &status) != 0 || access(file.c_str(), X_OK) != 0) {
    throw Error(ErrorCode::daemon_unreachable,
                fmt::format("cannot execute {}: {}",
                            file.string(),
                            std::strerror(errno)),  // NOLINT(concurrency-mt-unsafe)
                std::string(k_hint));
  }
  bytes_ = status.st_size;
  written_ = status.st_mtim;
}

std::string WorkerProgram::path() const {
  struct stat status {};

  if (fstat(handle_.get(), &status) != 0 || status.st_size != bytes_ ||
      status.st_mtim.tv_sec != written_.tv_sec || status.st_mtim.tv_nsec != written_.tv_nsec) {
    throw Error(ErrorCode::daemon_unreachable,
                fmt::format("{} was written over while batchllmd runs", file_.string()),
                "start batchllmd anew");
  }
  return fmt::format("/proc/self/fd/{}", handle_.get());
}

fs::path find_worker_program(const fs::path& daemon) {
  const fs::path beside = daemon.parent_path();
  const fs::path installed = (beside / BATCHLLM_LIBEXEC_FROM_BIN).lexically_normal();
  for (const fs::path& folder : {beside, installed}) {
    if (is_program(folder / k_name)) {
      return folder / k_name;
    }
  }
  throw Error(
      ErrorCode::daemon_unreachable,
      fmt::format("{} is neither beside {} nor in {}", k_name, daemon.string(), installed.string()),
      std::string(k_hint));
}

fs::path own_program() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

}  // namespace batchllm::daemon
