// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"
#include "core/job_state.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace batchllm::daemon {

// A job that a repair put back into the queue.
struct RebuiltJob {
  std::string id;
  JobState state = JobState::paused;
};

// Makes jobs and their events agree again, after rows of either were lost: what belongs to a later
// moment than the job's row goes, and a job whose events are not all there gets new ones that say
// how it stands; one that had not ended pauses then, with the reason "repaired". Returns those.
std::vector<RebuiltJob> mend_events(sql::Database& database);

// Puts jobs of the daemon back that have a folder and no place in the queue: ended ones as they
// ended, others paused with the reason "repaired". Counts are those of the ledgers. Folders that
// cannot be read are left out and named in `unreadable`.
std::vector<RebuiltJob> put_back_jobs(sql::Database& database,
                                      const std::filesystem::path& state_dir,
                                      std::vector<std::string>& unreadable);

}  // namespace batchllm::daemon
