// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/input_links.h"

namespace batchllm::daemon {

std::filesystem::path stored_file_path(const std::filesystem::path& state_dir,
                                       const StoredFile& file) {
  return files::input_link(state_dir / "uploads" / file.id, file.name);
}

void link_inputs(JobStore& store,
                 const files::ContentStore& content,
                 const std::filesystem::path& state_dir,
                 const std::string& job_id) {
  const auto files =
      store.read([&job_id](sql::Database& database) { return files_of_job(database, job_id); });
  for (const StoredFile& file : files) {
    content.link_input(state_dir / "uploads" / file.id, file.sha256, file.name);
  }
}

}  // namespace batchllm::daemon
