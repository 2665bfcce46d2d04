// SPDX-License-Identifier: Apache-2.0
// Rows for tests that render or filter them, without a source.
#pragma once

#include "core/row_batch.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

struct TestCell {
  TestCell(const char* value) : text(value) {}  // NOLINT: cells read like literals

  TestCell(std::string value) : text(std::move(value)) {}  // NOLINT

  TestCell(std::nullopt_t /*missing*/) {}  // NOLINT

  static TestCell json(std::string value) {
    TestCell cell(std::move(value));
    cell.kind = CellKind::json;
    return cell;
  }

  std::optional<std::string> text;
  CellKind kind = CellKind::text;
};

// Owns the bytes that its batch looks at.
class TestRows {
 public:
  explicit TestRows(std::vector<std::vector<TestCell>> rows) : rows_(std::move(rows)) {
    for (const auto& row : rows_) {
      batch_.column_count = row.size();
      batch_.places.push_back({});
      for (const auto& cell : row) {
        batch_.cells.push_back(cell.text ? std::string_view(*cell.text) : std::string_view());
        batch_.kinds.push_back(cell.kind);
      }
    }
  }

  TestRows(const TestRows&) = delete;
  TestRows& operator=(const TestRows&) = delete;

  const RowBatch& batch() const { return batch_; }

 private:
  std::vector<std::vector<TestCell>> rows_;
  RowBatch batch_;
};

}  // namespace batchllm
