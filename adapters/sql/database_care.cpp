// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/database_care.h"

#include "core/atomic_file.h"
#include "core/crash_point.h"
#include "core/file_handle.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

namespace batchllm::sql {
namespace {

namespace fs = std::filesystem;

// 20261121T170142.083Z: sorts by time.
std::string time_stamp(std::int64_t now_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(now_ms)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y%m%dT%H%M%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

void remove_file(const fs::path& path) noexcept {
  std::error_code ignored;
  fs::remove(path, ignored);
}

void sync_file(const fs::path& path) {
  const FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() || fsync(file.get()) != 0) {
    throw_storage_error("write", path.string(), errno);
  }
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    throw_storage_error("rename", from.string(), errno);
  }
}

// The part of "queue-daily-20261121T170142.083Z.db" that tells its age; empty: not such a name.
std::string_view time_of(std::string_view name) noexcept {
  const auto dash = name.rfind('-');
  return name.ends_with(".db") && dash != std::string_view::npos ? name.substr(dash + 1)
                                                                 : std::string_view();
}

}  // namespace

void check_integrity(Database& database, Check check) {
  const auto finding = database.string(check == Check::quick ? "PRAGMA quick_check(1)"
                                                             : "PRAGMA integrity_check(1)");
  if (finding != "ok") {
    throw corrupt_database_error(database.path(), finding.value_or("the check gave no answer"));
  }
}

bool check_at_start(Database& database, std::uint64_t limit_bytes) {
  const std::int64_t bytes = database.integer("PRAGMA page_count").value_or(0) *
                             database.integer("PRAGMA page_size").value_or(0);
  if (static_cast<std::uint64_t>(bytes) > limit_bytes) {
    return false;
  }
  check_integrity(database, Check::quick);
  return true;
}

fs::path back_up(Database& database,
                 const fs::path& folder,
                 std::string_view label,
                 std::int64_t now_ms) {
  make_private_folder(folder);
  const std::string stem = fs::path(database.path()).stem().string();
  const fs::path target = folder / fmt::format("{}-{}-{}.db", stem, label, time_stamp(now_ms));
  const fs::path unfinished = fmt::format("{}.tmp", target.string());
  remove_file(unfinished);
  try {
    // An empty file may be the target, and this one is readable by its user only.
    write_file_atomically(unfinished, {}, 0600);
    database.prepare("VACUUM INTO ?").bind(1, unfinished.string()).run();
    crash_point(CrashPoint::backup_written);
    sync_file(unfinished);
    rename_file(unfinished, target);
    crash_point(CrashPoint::backup_renamed);
  } catch (...) {
    remove_file(unfinished);
    throw;
  }
  sync_folder(folder);
  return target;
}

std::vector<fs::path> list_backups(const fs::path& folder, const fs::path& database) {
  std::vector<fs::path> copies;
  const std::string prefix = database.stem().string() + "-";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && !time_of(name).empty()) {
      copies.push_back(entry.path());
    }
  }
  std::sort(copies.begin(), copies.end(), [](const fs::path& a, const fs::path& b) {
    return time_of(a.filename().native()) > time_of(b.filename().native());
  });
  return copies;
}

std::optional<fs::path> newest_backup(const fs::path& folder, const fs::path& database) {
  const auto copies = list_backups(folder, database);
  return copies.empty() ? std::nullopt : std::optional(copies.front());
}

void keep_newest_backups(const fs::path& folder,
                         const fs::path& database,
                         std::string_view label,
                         std::size_t keep) {
  const std::string prefix = fmt::format("{}-{}-", database.stem().string(), label);
  std::size_t found = 0;
  for (const fs::path& copy : list_backups(folder, database)) {
    const std::string name = copy.filename().string();
    if (name.starts_with(prefix) && name.size() == prefix.size() + time_of(name).size() &&
        ++found > keep) {
      remove_file(copy);
    }
  }
}

fs::path move_database_aside(const fs::path& database, std::int64_t now_ms) {
  const fs::path folder = database.parent_path() / ("corrupt-" + time_stamp(now_ms));
  make_private_folder(folder);
  // The log first: a database without its log looks whole and is not.
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    const fs::path file = database.string() + suffix;
    std::error_code error;
    if (fs::exists(file, error)) {
      rename_file(file, folder / file.filename());
    }
  }
  sync_folder(folder);
  sync_folder(database.parent_path());
  return folder;
}

}  // namespace batchllm::sql
