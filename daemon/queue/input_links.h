// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/files/content_store.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/job_store.h"

#include <filesystem>
#include <string>

namespace batchllm::daemon {

// A stored file under the name that its owner knows it by: STATE/uploads/FILE_ID/input/NAME, a link
// to the content. It is made anew when it is gone. Throws as ContentStore::link_input.
std::filesystem::path link_stored_file(const files::ContentStore& content,
                                       const std::filesystem::path& state_dir,
                                       const StoredFile& file);

// Makes the links of a job's inputs anew where a power cut took them: what tells of them is in the
// database, so nobody waits for the links themselves to be on the disk. Throws as link_stored_file.
void restore_input_links(JobStore& store,
                         const files::ContentStore& content,
                         const std::filesystem::path& state_dir,
                         const std::string& job_id);

}  // namespace batchllm::daemon
