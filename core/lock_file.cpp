// SPDX-License-Identifier: Apache-2.0
#include "core/lock_file.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

namespace batchllm {
namespace {

constexpr std::chrono::seconds k_patience_with_the_dead{2};
constexpr std::chrono::milliseconds k_look_again{5};

// Of the open file, not of the process: gone with the last descriptor, however the process ends.
struct flock exclusive_lock() noexcept {
  struct flock lock {};

  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

std::optional<FileHandle> take_lock_file(const std::filesystem::path& path) {
  FileHandle file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    throw_storage_error("create", path.string(), errno);
  }
  struct flock whole_file = exclusive_lock();
  if (fcntl(file.get(), F_OFD_SETLK, &whole_file) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      throw_storage_error("lock", path.string(), errno);
    }
    return std::nullopt;
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  // A full disk must not refuse the lock: then nobody learns the pid, that is all.
  if (pwrite(file.get(), pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size())) {
    static_cast<void>(ftruncate(file.get(), static_cast<off_t>(pid.size())) == 0);
  }
  return file;
}

std::optional<FileHandle> take_lock_file_of_the_dead(const std::filesystem::path& path) {
  const auto until = std::chrono::steady_clock::now() + k_patience_with_the_dead;
  while (true) {
    auto lock = take_lock_file(path);
    if (lock || !is_dead_process(lock_file_holder(path)) ||
        std::chrono::steady_clock::now() > until) {
      return lock;
    }
    std::this_thread::sleep_for(k_look_again);
  }
}

bool is_dead_process(const std::string& pid) noexcept {
  const auto number = parse_integer(pid);
  return number && *number > 0 && kill(static_cast<pid_t>(*number), 0) != 0 && errno == ESRCH;
}

std::string lock_file_holder(const std::filesystem::path& path) {
  try {
    return std::string(trim(read_file(path, 100)));
  } catch (const Error&) {
    return {};
  }
}

bool is_lock_file_held(const std::filesystem::path& path) {
  const FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    return false;
  }
  // Only asks: taking the lock for a moment would refuse a run that begins just then.
  struct flock whole_file = exclusive_lock();
  return fcntl(file.get(), F_OFD_GETLK, &whole_file) == 0 && whole_file.l_type != F_UNLCK;
}

}  // namespace batchllm
