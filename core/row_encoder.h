// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_batch.h"
#include "core/row_task.h"

#include <string>
#include <vector>

namespace batchllm {

// Decides which rows are asked and turns a row into a request. Reader thread only.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;

  // The columns that it needs in a batch's cells, each once.
  virtual std::vector<std::string> columns() const = 0;

  // Says in which order the cells of the batches to come stand.
  virtual void bind(const std::vector<std::string>& cells) = 0;

  // Whether --where lets the row pass.
  virtual bool matches(const RowBatch& batch, std::size_t row) const = 0;

  // Fills the task's body, row_id and estimate; or its known_failure, when the row cannot be asked.
  virtual void encode(const RowBatch& batch, std::size_t row, RowTask& task) = 0;
};

}  // namespace batchllm
