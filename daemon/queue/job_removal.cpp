// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_removal.h"

#include "core/error.h"
#include "core/job_directory.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/job_queue.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

namespace batchllm::daemon {
namespace {

void remove_folder(const std::filesystem::path& state_dir, const std::string& id) {
  try {
    JobDirectory::open(state_dir, id).remove();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::job_not_found) {
      throw;  // it never began: there is no folder
    }
  }
}

// Files that came with the job alone.
std::vector<std::string> own_files(sql::Database& database, const std::string& id) {
  std::vector<std::string> files;
  auto query = database.prepare(
      "SELECT file_id FROM job_files JOIN files ON files.id = file_id WHERE job_id = ?1 AND "
      "is_listed = 0 AND NOT EXISTS (SELECT 1 FROM job_files other WHERE other.file_id = "
      "job_files.file_id AND other.job_id != ?1)");
  query.bind_all(id);
  while (query.step()) {
    files.push_back(query.string(0));
  }
  return files;
}

// The file whose row was deleted; nullopt when it stays for its jobs.
std::optional<StoredFile> take_file_off_record(sql::Database& database, const std::string& id) {
  StoredFile file = require_file(database, id);
  if (is_file_in_use(database, id)) {
    throw Error(ErrorCode::file_in_use,
                fmt::format("a job that has not ended uses {}", id),
                "delete it when the job has ended, or cancel the job first");
  }
  if (has_file_jobs(database, id)) {
    unlist_file(database, id);
    return std::nullopt;
  }
  delete_file_row(database, id);
  return file;
}

}  // namespace

void remove_ended_job(JobStore& store,
                      files::ContentStore& content,
                      const std::filesystem::path& state_dir,
                      const std::string& id) {
  const auto files = store.write([&id](JobTable& jobs) {
    auto own = own_files(jobs.database(), id);
    delete_job(jobs, id);
    return own;
  });
  remove_folder(state_dir, id);
  for (const std::string& file_id : files) {
    try {
      remove_file(store, content, state_dir, file_id);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::file_in_use && error.code() != ErrorCode::file_not_found) {
        throw;  // a job was made of it meanwhile, or somebody else has deleted it
      }
    }
  }
}

void remove_file(JobStore& store,
                 files::ContentStore& content,
                 const std::filesystem::path& state_dir,
                 const std::string& file_id) {
  const std::optional<StoredFile> file = store.write(
      [&file_id](JobTable& jobs) { return take_file_off_record(jobs.database(), file_id); });
  if (!file) {
    return;
  }
  std::error_code error;
  std::filesystem::remove_all(state_dir / "uploads" / file_id, error);
  content.remove(file->sha256, [&] {
    return store.read(
        [&file](sql::Database& database) { return is_content_used(database, file->sha256); });
  });
}

}  // namespace batchllm::daemon
