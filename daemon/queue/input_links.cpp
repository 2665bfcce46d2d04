// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/input_links.h"

namespace batchllm::daemon {

std::filesystem::path link_stored_file(const files::ContentStore& content,
                                       const std::filesystem::path& state_dir,
                                       const StoredFile& file) {
  return content.link_input(state_dir / "uploads" / file.id, file.sha256, file.name);
}

void restore_input_links(JobStore& store,
                         const files::ContentStore& content,
                         const std::filesystem::path& state_dir,
                         const std::string& job_id) {
  const auto files =
      store.read([&job_id](sql::Database& database) { return files_of_job(database, job_id); });
  for (const StoredFile& file : files) {
    link_stored_file(content, state_dir, file);
  }
}

}  // namespace batchllm::daemon
