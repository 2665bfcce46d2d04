// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/state_folder.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/lock_file.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace batchllm::sql {
namespace {

namespace fs = std::filesystem;

struct NetworkFileSystem {
  std::uint64_t type;
  std::string_view name;
};

// statfs(2), linux/magic.h. FUSE is sshfs, s3fs and virtiofs; 9p is WSL and virtual machines.
constexpr std::array k_network_file_systems = {
    NetworkFileSystem{0x6969, "NFS"},
    NetworkFileSystem{0x517B, "SMB"},
    NetworkFileSystem{0xFE534D42, "SMB"},
    NetworkFileSystem{0xFF534D42, "CIFS"},
    NetworkFileSystem{0x65735546, "FUSE"},
    NetworkFileSystem{0x6A656A63, "virtiofs"},
    NetworkFileSystem{0x01021997, "9p"},
    NetworkFileSystem{0x00C36400, "Ceph"},
    NetworkFileSystem{0x5346414F, "AFS"},
    NetworkFileSystem{0x47504653, "GPFS"},
    NetworkFileSystem{0x0BD00BD0, "Lustre"},
};

}  // namespace

FileHandle lock_state_folder(const fs::path& state_dir) {
  make_private_folder(state_dir);
  make_private_folder(state_dir / "daemon");
  const fs::path path = state_dir / "daemon" / "lock";
  auto lock = take_lock_file_of_the_dead(path);
  if (!lock) {
    const std::string holder = lock_file_holder(path);
    throw Error(ErrorCode::daemon_running,
                fmt::format("a daemon is already running on {}{}",
                            state_dir.string(),
                            holder.empty() ? "" : fmt::format(" (pid {})", holder)),
                "use that one, stop it with `batchllm daemon stop`, or choose another folder with "
                "--state-dir")
        .with_detail("pid", holder);
  }
  return std::move(*lock);
}

std::optional<std::uint64_t> file_system_type(const fs::path& path) {
  struct statfs about {};

  if (statfs(path.c_str(), &about) != 0) {
    return std::nullopt;
  }
  // The magic numbers have 32 bits; the type of the field differs between machines.
  return static_cast<std::uint32_t>(about.f_type);
}

std::optional<std::string_view> network_file_system(const fs::path& folder,
                                                    const FileSystemType& type) {
  const auto found = type(folder);
  const auto* known =
      std::find_if(k_network_file_systems.begin(),
                   k_network_file_systems.end(),
                   [&found](const NetworkFileSystem& entry) { return entry.type == found; });
  return known == k_network_file_systems.end() ? std::nullopt : std::optional(known->name);
}

void refuse_network_file_system(const fs::path& folder, const FileSystemType& type) {
  if (const auto name = network_file_system(folder, type)) {
    throw Error(
        ErrorCode::storage,
        fmt::format("{} is on a network file system ({}), where the daemon's database would "
                    "not be safe",
                    folder.string(),
                    *name),
        "choose a folder on a local disk with --state-dir or BATCHLLM_STATE_DIR");
  }
}

bool ReserveFile::make() {
  const FileHandle file(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const int opened = file.is_open() ? 0 : errno;
  const int error =
      opened != 0 ? opened : posix_fallocate(file.get(), 0, static_cast<off_t>(bytes_));
  if (error == 0) {
    return true;
  }
  drop();
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return false;
  }
  throw_storage_error("make", path_.string(), error);
}

bool ReserveFile::drop() noexcept {
  std::error_code error;
  return fs::remove(path_, error);
}

}  // namespace batchllm::sql
