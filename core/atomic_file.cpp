// SPDX-License-Identifier: Apache-2.0
#include "core/atomic_file.h"

#include "core/error.h"
#include "core/file_handle.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace batchllm {
namespace {

// Removes the half-written file unless it was renamed.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) {}

  ~Temporary() {
    if (!path_.empty()) {
      unlink(path_.c_str());
    }
  }

  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const std::string& path() const noexcept { return path_; }

  void keep() noexcept { path_.clear(); }

 private:
  std::string path_;
};

}  // namespace

void throw_storage_error(std::string_view what, const std::string& path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  throw Error(full ? ErrorCode::storage_full : ErrorCode::storage,
              fmt::format("cannot {} {}: {}", what, path, std::strerror(error_number)),
              full ? "make room on the disk" : "");
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw_storage_error("write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_file_atomically(const std::filesystem::path& target,
                           std::string_view bytes,
                           unsigned mode) {
  Temporary temporary(fmt::format("{}.{}.tmp", target.string(), getpid()));
  {
    const FileHandle file(
        open(temporary.path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!file.is_open()) {
      throw_storage_error("create", temporary.path(), errno);
    }
    write_all(file.get(), bytes, temporary.path());
    if (fsync(file.get()) != 0) {
      throw_storage_error("write", temporary.path(), errno);
    }
  }
  if (std::rename(temporary.path().c_str(), target.c_str()) != 0) {
    throw_storage_error("rename", temporary.path(), errno);
  }
  temporary.keep();
  sync_folder(target.parent_path());
}

bool rename_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  // Some network file systems cannot do that in one step. A crash between these two leaves the
  // file under both names.
  const bool unsupported = errno == EINVAL || errno == ENOSYS;
  if (unsupported && link(from.c_str(), to.c_str()) == 0) {
    unlink(from.c_str());
    return true;
  }
  if (errno != EEXIST) {
    throw_storage_error("rename", from.string(), errno);
  }
  return false;
}

void sync_folder(const std::filesystem::path& folder) noexcept {
  const FileHandle handle(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.is_open()) {
    fsync(handle.get());
  }
}

void make_private_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_storage_error("create", folder.string(), errno);
  }
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    throw_storage_error("read", path.string(), errno);
  }
  std::string bytes;
  char block[65536];
  while (true) {
    const ssize_t got = read(file.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      throw_storage_error("read", path.string(), errno);
    }
    if (got == 0) {
      return bytes;
    }
    bytes.append(block, static_cast<std::size_t>(got));
    if (bytes.size() > limit) {
      throw Error(ErrorCode::storage,
                  fmt::format("{} is larger than {} bytes", path.string(), limit));
    }
  }
}

}  // namespace batchllm
