// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"
#include "core/job_record.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// The folder of one job: job.json, manifest.jsonl, ledger-NNNNN.jsonl, rejects.jsonl, input.spool
// and `lock`. Folders are 0700, files 0600. Not thread-safe.
class JobDirectory {
 public:
  // Makes the folder of a new job, locked.
  static JobDirectory create(const std::filesystem::path& state_dir, const JobRecord& record);

  // Opens the folder of a job without locking it. Throws Error(job_not_found) with the nearest id.
  static JobDirectory open(const std::filesystem::path& state_dir, const std::string& id);

  // Takes the job for this process until it ends, however it ends. Throws Error(job_locked) naming
  // the process that has it.
  void lock();

  // True when a living process has the job.
  bool is_locked() const;

  const std::filesystem::path& folder() const noexcept { return folder_; }

  std::filesystem::path manifest_path() const { return folder_ / "manifest.jsonl"; }

  std::filesystem::path rejects_path() const { return folder_ / "rejects.jsonl"; }

  std::filesystem::path spool_path() const { return folder_ / "input.spool"; }

  JobRecord load() const;
  void save(const JobRecord& record) const;

  // Deletes the folder and everything in it. Throws Error(job_locked) while a process has the job.
  void remove();

 private:
  explicit JobDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
  FileHandle lock_;
};

// Ids of all jobs, newest first.
std::vector<std::string> list_job_ids(const std::filesystem::path& state_dir);

}  // namespace batchllm
