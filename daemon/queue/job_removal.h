// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/files/content_store.h"
#include "daemon/queue/job_store.h"

#include <filesystem>
#include <string>

namespace batchllm::daemon {

// Deletes a job that has ended: its place in the queue first, then its folder, the inputs that came
// with it, and content that nothing else needs. A crash in between leaves files that nobody knows,
// never a job without its files. Throws Error(job_not_found | job_conflict).
void remove_ended_job(JobStore& store,
                      files::ContentStore& content,
                      const std::filesystem::path& state_dir,
                      const std::string& id);

// Deletes a file's row, its name and, when no other file has it, its content. A file that jobs were
// made of is only no longer listed: it goes with the last of them. Throws Error(file_not_found |
// file_in_use): a job that has not ended uses it.
void remove_file(JobStore& store,
                 files::ContentStore& content,
                 const std::filesystem::path& state_dir,
                 const std::string& file_id);

}  // namespace batchllm::daemon
