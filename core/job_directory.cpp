// SPDX-License-Identifier: Apache-2.0
#include "core/job_directory.h"

#include "core/atomic_file.h"
#include "core/crash_point.h"
#include "core/error.h"
#include "core/job_id.h"
#include "core/lock_file.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_record_limit = std::size_t{64} << 20;

fs::path jobs_folder(const fs::path& state_dir) {
  return state_dir / "jobs";
}

std::string_view second_of(std::string_view job_id) noexcept {
  return job_id.substr(0, job_id.rfind('_'));
}

// 0 when the record cannot be read.
std::int64_t created_ms_of(const fs::path& folder) {
  const fs::path path = folder / "job.json";
  try {
    return parse_job_record(read_file(path, k_record_limit), path.string()).created_ms;
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace

JobDirectory JobDirectory::create(const fs::path& state_dir, const JobRecord& record) {
  make_private_folder(state_dir);
  make_private_folder(jobs_folder(state_dir));
  JobDirectory directory(jobs_folder(state_dir) / record.id);
  if (mkdir(directory.folder_.c_str(), 0700) != 0) {
    throw_storage_error("create", directory.folder_.string(), errno);
  }
  crash_point(CrashPoint::job_folder_made);
  directory.lock();
  directory.save(record);
  crash_point(CrashPoint::job_folder_ready);
  return directory;
}

JobDirectory JobDirectory::open(const fs::path& state_dir, const std::string& id) {
  JobDirectory directory(jobs_folder(state_dir) / id);
  std::error_code error;
  if (!is_job_id(id) || !fs::is_directory(directory.folder_, error)) {
    const auto nearest = nearest_name(id, list_job_ids(state_dir));
    throw Error(
        ErrorCode::job_not_found,
        fmt::format("there is no job {}", printable(id)),
        nearest ? fmt::format("did you mean {}?", *nearest) : "batchllm jobs list shows all jobs");
  }
  return directory;
}

void JobDirectory::lock() {
  const fs::path path = folder_ / "lock";
  auto lock = take_lock_file(path);
  if (!lock) {
    const std::string holder = lock_file_holder(path);
    throw Error(ErrorCode::job_locked,
                fmt::format("{} is being run by another process{}",
                            folder_.filename().string(),
                            holder.empty() ? "" : fmt::format(" (pid {})", holder)),
                "wait for it, or stop it first");
  }
  lock_ = std::move(*lock);
}

bool JobDirectory::is_locked() const {
  return is_lock_file_held(folder_ / "lock");
}

JobRecord JobDirectory::load() const {
  const fs::path path = folder_ / "job.json";
  return parse_job_record(read_file(path, k_record_limit), path.string());
}

void JobDirectory::save(const JobRecord& record) const {
  write_file_atomically(folder_ / "job.json", job_record_json(record), 0600);
}

void JobDirectory::remove() {
  if (!lock_.is_open()) {
    lock();
  }
  std::error_code error;
  fs::remove_all(folder_, error);
  if (error) {
    throw Error(ErrorCode::storage,
                fmt::format("cannot delete {}: {}", folder_.string(), error.message()));
  }
}

std::vector<std::string> list_job_ids(const fs::path& state_dir) {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(jobs_folder(state_dir), error)) {
    std::string name = entry.path().filename().string();
    if (is_job_id(name)) {
      ids.push_back(std::move(name));
    }
  }
  std::sort(ids.rbegin(), ids.rend());
  // Ids tell the second; which of a second's jobs is the newest, their records tell.
  for (auto first = ids.begin(); first != ids.end();) {
    const auto end = std::find_if(first, ids.end(), [&first](const std::string& id) {
      return second_of(id) != second_of(*first);
    });
    if (end - first > 1) {
      std::map<std::string, std::int64_t> created;
      for (auto id = first; id != end; ++id) {
        created[*id] = created_ms_of(jobs_folder(state_dir) / *id);
      }
      std::stable_sort(first, end, [&created](const std::string& a, const std::string& b) {
        return created[a] > created[b];
      });
    }
    first = end;
  }
  return ids;
}

}  // namespace batchllm
