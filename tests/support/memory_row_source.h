// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_source.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// Rows of one column "text" in memory; the named rows are bad. A row's byte offset is ten times its
// index. What it was asked is kept for the test.
class MemoryRowSource final : public RowSource {
 public:
  explicit MemoryRowSource(std::vector<std::string> rows,
                           std::set<std::uint64_t> bad_rows = {},
                           std::size_t batch_rows = 100)
      : rows_(std::move(rows)),
        bad_rows_(std::move(bad_rows)),
        batch_rows_(batch_rows) {}

  const std::vector<std::string>& columns() const override { return columns_; }

  bool is_open_ended() const override { return false; }

  void select(const std::vector<std::string>& names) override { selected = names; }

  bool next_batch(RowBatch& batch) override {
    batch.clear();
    batch.column_count = 1;
    ++batches_read;
    for (std::size_t taken = 0; taken < batch_rows_ && next_ < rows_.size(); ++taken, ++next_) {
      const RowPlace place{next_, next_ + 2, next_ * 10, 9, 0};
      if (bad_rows_.contains(next_)) {
        batch.bad_rows.push_back({place, "not_utf8", "not UTF-8", rows_[next_]});
      } else {
        batch.cells.emplace_back(rows_[next_]);
        batch.places.push_back(place);
      }
    }
    return !batch.empty();
  }

  void seek(const RowPlace& place) override {
    next_ = place.byte_offset / 10;
    seeks.push_back(place.row_index);
  }

  std::optional<double> fraction_read() const override {
    return rows_.empty() ? 1.0 : static_cast<double>(next_) / static_cast<double>(rows_.size());
  }

  std::vector<std::string> selected;
  std::vector<std::uint64_t> seeks;
  std::size_t batches_read = 0;

 private:
  std::vector<std::string> columns_{"text"};
  std::vector<std::string> rows_;
  std::set<std::uint64_t> bad_rows_;
  std::size_t batch_rows_;
  std::size_t next_ = 0;
};

// "row 0", "row 1", …
inline std::vector<std::string> numbered_rows(std::size_t count) {
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back("row " + std::to_string(i));
  }
  return rows;
}

}  // namespace batchllm
