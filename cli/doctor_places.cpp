// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_places.h"

#include "core/job_directory.h"
#include "core/text.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr mode_t k_others = 077;
constexpr std::uint64_t k_least_room = std::uint64_t{64} << 20;
constexpr std::uint64_t k_comfortable_room = std::uint64_t{1} << 30;

struct NetworkFileSystem {
  std::uint64_t magic;  // of statfs(2)
  std::string_view name;
};

constexpr std::array k_network_file_systems = {
    NetworkFileSystem{0x6969, "NFS"},
    NetworkFileSystem{0xFF534D42, "CIFS"},
    NetworkFileSystem{0xFE534D42, "SMB"},
    NetworkFileSystem{0x517B, "SMB"},
    NetworkFileSystem{0x01021997, "9P"},
    NetworkFileSystem{0x5346414F, "AFS"},
    NetworkFileSystem{0x00C36400, "Ceph"},
    NetworkFileSystem{0x0BD00BD0, "Lustre"},
    NetworkFileSystem{0x65735546, "FUSE"},
};

std::optional<std::string_view> network_file_system(const std::string& folder) {
  struct statfs facts {};

  if (statfs(folder.c_str(), &facts) != 0) {
    return std::nullopt;
  }
  for (const NetworkFileSystem& system : k_network_file_systems) {
    if (static_cast<std::uint32_t>(facts.f_type) == system.magic) {
      return system.name;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> free_bytes(const std::string& folder) {
  struct statvfs facts {};

  if (statvfs(folder.c_str(), &facts) != 0) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

// The folder itself, or the nearest above it that is there.
std::string existing(const std::string& folder) {
  std::error_code error;
  fs::path at = folder;
  while (!fs::exists(at, error) && at != at.root_path()) {
    at = at.parent_path();
  }
  return at.string();
}

// Whether it can be used; false when there is nothing more to say of it.
bool examine_use(const std::string& subject, const std::string& folder, Findings& findings) {
  const std::string there = existing(folder);
  const std::string shown = printable(folder);

  struct stat facts {};

  if (stat(there.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    findings.fail(subject,
                  ErrorCode::storage,
                  fmt::format("{} is not a folder", printable(there)),
                  "move what lies there out of the way");
    return false;
  }
  if (access(there.c_str(), W_OK | X_OK) != 0) {
    findings.fail(subject,
                  ErrorCode::storage,
                  fmt::format("{} cannot be written: {}",
                              printable(there),
                              lowercase(std::generic_category().message(errno))),
                  fmt::format("give this user the right to write there, or choose another place"));
    return false;
  }
  if (there != folder) {
    findings.ok(subject, fmt::format("{} is made when it is needed", shown));
    return true;
  }
  if (facts.st_uid != geteuid()) {
    findings.warn(subject,
                  fmt::format("{} belongs to another user", shown),
                  fmt::format("chown it, or call batchllm as that user"));
  } else if ((facts.st_mode & k_others) != 0) {
    findings.warn(subject,
                  fmt::format("{} is open to other users", shown),
                  fmt::format("chmod 700 {}", shown));
  } else {
    findings.ok(subject, shown);
  }
  return true;
}

void examine_room(const std::string& subject, const std::string& folder, Findings& findings) {
  const auto bytes = free_bytes(existing(folder));
  if (!bytes) {
    return;
  }
  const std::string room = fmt::format("{} free", bytes_text(*bytes));
  if (*bytes < k_least_room) {
    findings.fail(subject, ErrorCode::storage_full, room, "make room: batchllm jobs prune");
  } else if (*bytes < k_comfortable_room) {
    findings.warn(subject, room, "make room before a large run: batchllm jobs prune");
  } else {
    findings.ok(subject, room);
  }
}

}  // namespace

void examine_folders(const Directories& directories, const std::string& state, Findings& findings) {
  struct Place {
    std::string subject;
    std::string folder;
    std::string_view variable;
    bool needs_locks;
  };

  for (const Place& place :
       {Place{"state folder", state, "XDG_STATE_HOME", true},
        Place{"data folder", directories.data, "XDG_DATA_HOME", false},
        Place{"cache folder", directories.cache, "XDG_CACHE_HOME", false},
        Place{"runtime folder", directories.runtime, "XDG_RUNTIME_DIR", true}}) {
    if (place.folder.empty()) {
      findings.fail(place.subject,
                    ErrorCode::storage,
                    fmt::format("neither {} nor HOME is set to an absolute path", place.variable),
                    fmt::format("export {}", place.variable));
      continue;
    }
    const auto network = network_file_system(existing(place.folder));
    if (examine_use(place.subject, place.folder, findings) && network && place.needs_locks) {
      findings.warn(place.subject,
                    fmt::format("it lies on {}, where locks and syncs may not hold", *network),
                    "put it on a local disk: --state-dir, XDG_STATE_HOME");
    }
  }
  if (!state.empty()) {
    examine_room("disk", state, findings);
  }
}

void examine_jobs(const std::string& state, Findings& findings) {
  constexpr std::size_t k_most_looked_at = 2000;
  std::vector<std::string> damaged;
  std::size_t in_use = 0;
  std::size_t seen = 0;
  for (const std::string& id : list_job_ids(state)) {
    if (++seen > k_most_looked_at) {
      break;
    }
    try {
      const JobDirectory directory = JobDirectory::open(state, id);
      in_use += directory.is_locked() ? 1 : 0;
      static_cast<void>(directory.load());
    } catch (const Error&) {
      damaged.push_back(id);
    }
  }
  if (damaged.empty()) {
    findings.ok("jobs", fmt::format("{}, {} in use", count_noun(seen, "job"), in_use));
    return;
  }
  findings.fail(
      "jobs",
      ErrorCode::job_corrupt,
      fmt::format(
          "{} cannot be read: {}", count_noun(damaged.size(), "job"), name_list(damaged, 5)),
      fmt::format("see what is wrong: batchllm jobs show {}; batchllm jobs rm gives it up",
                  damaged.front()));
}

void examine_secret_file(const std::string& subject,
                         const std::filesystem::path& file,
                         Findings& findings) {
  struct stat facts {};

  if (stat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
      (facts.st_mode & k_others) != 0) {
    findings.warn(subject,
                  fmt::format("{} may be read or changed by other users", printable(file.string())),
                  fmt::format("chmod 600 {}; if somebody can have read it, make a new key",
                              printable(file.string())));
  }
}

}  // namespace batchllm
