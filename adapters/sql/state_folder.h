// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

namespace batchllm::sql {

// Takes the state folder for this daemon as long as the handle lives: `<state_dir>/daemon/lock`
// (folders are made, 0700). Throws Error(daemon_running) naming the process that has it.
FileHandle lock_state_folder(const std::filesystem::path& state_dir);

// statfs(2)'s f_type of the file system a path is on; nullopt when it cannot be told.
using FileSystemType = std::function<std::optional<std::uint64_t>(const std::filesystem::path&)>;
std::optional<std::uint64_t> file_system_type(const std::filesystem::path& path);

// "NFS", "SMB", "FUSE", … when `folder` is on a file system where the write-ahead log is not safe
// (it needs memory shared by everyone who has the file open); nullopt for a local one. WSL's
// Windows drives and virtiofs count as such.
std::optional<std::string_view> network_file_system(const std::filesystem::path& folder,
                                                    const FileSystemType& type = file_system_type);

// Throws Error(storage) with the way out when `folder` is on such a file system.
void refuse_network_file_system(const std::filesystem::path& folder,
                                const FileSystemType& type = file_system_type);

// Room on the disk that is given up when the disk is full: a full database cannot even be deleted
// from, so without it the daemon could not write down that it pauses. Not thread-safe.
class ReserveFile {
 public:
  explicit ReserveFile(std::filesystem::path path, std::uint64_t bytes = std::uint64_t{16} << 20)
      : path_(std::move(path)),
        bytes_(bytes) {}

  // Makes the file with all its blocks; false when there is no room. Throws Error(storage) for
  // anything else.
  bool make();

  // Gives the room back; false when there was none to give.
  bool drop() noexcept;

 private:
  std::filesystem::path path_;
  std::uint64_t bytes_;
};

}  // namespace batchllm::sql
