// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_encoder.h"

#include <string>
#include <utility>

namespace batchllm {

// The request for a row is its first cell. Rows match when the cell holds `needle`; "unaskable"
// ones cannot be asked.
class TextRowEncoder final : public RowEncoder {
 public:
  explicit TextRowEncoder(std::string needle = {}) : needle_(std::move(needle)) {}

  std::vector<std::string> columns() const override { return {"text"}; }

  void bind(const std::vector<std::string>& /*cells*/) override {}

  bool matches(const RowBatch& batch, std::size_t row) const override {
    return batch.row_cells(row)[0].find(needle_) != std::string_view::npos;
  }

  void encode(const RowBatch& batch, std::size_t row, RowTask& task) override {
    task.body = batch.row_cells(row)[0];
    task.estimated_tokens = 10;
    if (task.body == "unaskable") {
      task.known_failure = RowFailure::bad_request;
      task.problem = "no image";
    }
  }

 private:
  std::string needle_;
};

}  // namespace batchllm
