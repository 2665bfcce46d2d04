// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_encoder.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// The request for a row is the cells of some columns, with slashes between them: one that the row
// does not have is (null), one of JSON has :json behind it. Rows match when that holds `needle`.
class RowStepEncoder final : public RowEncoder {
 public:
  explicit RowStepEncoder(std::vector<std::string> columns, std::string needle = {})
      : columns_(std::move(columns)),
        needle_(std::move(needle)) {}

  std::vector<std::string> columns() const override { return columns_; }

  void bind(const std::vector<std::string>& cells) override {
    cells_.clear();
    for (const std::string& name : columns_) {
      const auto found = std::find(cells.begin(), cells.end(), name);
      cells_.push_back(static_cast<std::size_t>(found - cells.begin()));
    }
  }

  bool matches(const RowBatch& batch, std::size_t row) const override {
    return text_of(batch, row).find(needle_) != std::string::npos;
  }

  void encode(const RowBatch& batch, std::size_t row, RowTask& task) override {
    task.body = text_of(batch, row);
    task.estimated_tokens = 10;
  }

 private:
  std::string text_of(const RowBatch& batch, std::size_t row) const {
    std::string text;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const std::string_view value = batch.row_cells(row)[cells_[i]];
      text += i == 0 ? "" : "/";
      text += value.data() == nullptr ? "(null)" : value;
      text += batch.cell_kind(row, cells_[i]) == CellKind::json ? ":json" : "";
    }
    return text;
  }

  std::vector<std::string> columns_;
  std::string needle_;
  std::vector<std::size_t> cells_;
};

}  // namespace batchllm
