// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_record.h"

#include <filesystem>
#include <string>

namespace batchllm {

// What a job that has ended has done so far, on its way to become the beginning of another job:
// copies of its ledgers, manifest and rejects. They share the blocks of the first job's files where
// the file system can, and are never links: ledgers are appended to. Until adopt() they lie under a
// name that is no job's; the destructor deletes what was not adopted. Not thread-safe.
class JobSeed {
 public:
  // Copies; may take long. A job that has no folder leaves nothing to copy. Throws Error(storage |
  // storage_full).
  JobSeed(const std::filesystem::path& state_dir, const std::string& from_id);
  ~JobSeed();
  JobSeed(const JobSeed&) = delete;
  JobSeed& operator=(const JobSeed&) = delete;
  JobSeed(JobSeed&&) = delete;
  JobSeed& operator=(JobSeed&&) = delete;

  // False: the first job never began.
  bool has_files() const noexcept { return !folder_.empty(); }

  // Makes them the folder of the job `record.id`, all at once and durably. Throws as above.
  void adopt(const JobRecord& record);

 private:
  void copy_file(const std::filesystem::path& from) const;

  std::filesystem::path jobs_;
  std::filesystem::path folder_;  // empty: nothing to adopt any more
};

// Deletes seeds that a killed process left behind. By the process that owns the state folder.
void sweep_job_seeds(const std::filesystem::path& state_dir);

}  // namespace batchllm
