// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/files/content_store.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/job_store.h"

#include <filesystem>
#include <string>

namespace batchllm::daemon {

// A stored file under the name that its owner knows it by: STATE/uploads/FILE_ID/NAME. A
// job's record names it so; the link to the content is made when somebody is about to read it.
std::filesystem::path stored_file_path(const std::filesystem::path& state_dir,
                                       const StoredFile& file);

// Sees that the inputs of a job are there under those names: links that were not made yet, or that
// a power cut took, are made. Before its files are read. Throws as ContentStore::link_input.
void link_inputs(JobStore& store,
                 const files::ContentStore& content,
                 const std::filesystem::path& state_dir,
                 const std::string& job_id);

}  // namespace batchllm::daemon
