// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/api/api_context.h"
#include "daemon/queue/file_table.h"

#include <vector>

namespace batchllm::daemon {

// Inputs that came with a request and are stored already. What is not on record when this goes (the
// request was refused, or repeats an earlier one) is deleted again. Not thread-safe.
class NewInputs {
 public:
  explicit NewInputs(ApiContext& context) : context_(&context) {}

  ~NewInputs();
  NewInputs(NewInputs&&) noexcept = default;
  NewInputs(const NewInputs&) = delete;
  NewInputs& operator=(const NewInputs&) = delete;
  NewInputs& operator=(NewInputs&&) = delete;

  // The content is kept from being deleted as long as this lives.
  void add(StoredFile file, files::PinnedContent content);

  const std::vector<StoredFile>& files() const noexcept { return files_; }

 private:
  void forget(const StoredFile& file) const;

  ApiContext* context_;
  std::vector<StoredFile> files_;
  std::vector<files::PinnedContent> content_;
};

}  // namespace batchllm::daemon
