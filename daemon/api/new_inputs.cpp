// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/new_inputs.h"

#include "core/error.h"
#include "daemon/service/daemon_log.h"

#include <utility>

namespace batchllm::daemon {

NewInputs::~NewInputs() {
  content_.clear();  // what is pinned is not deleted
  for (const StoredFile& file : files_) {
    try {
      forget(file);
    } catch (const Error& error) {
      log_warning("an input that no job needs is left: {}", error.message());
    }
  }
}

void NewInputs::add(StoredFile file, files::PinnedContent content) {
  files_.push_back(std::move(file));
  content_.push_back(std::move(content));
}

// Asks the database, which knows how the transaction ended, whatever was thrown.
void NewInputs::forget(const StoredFile& file) const {
  const bool is_on_record = context_->store.read(
      [&file](sql::Database& database) { return read_file_row(database, file.id).has_value(); });
  if (is_on_record) {
    return;
  }
  std::error_code error;
  std::filesystem::remove_all(context_->state_dir / "uploads" / file.id, error);
  context_->content.remove(file.sha256, [&] {
    return context_->store.read(
        [&file](sql::Database& database) { return is_content_used(database, file.sha256); });
  });
}

}  // namespace batchllm::daemon
