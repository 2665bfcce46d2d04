// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_batch.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// One value that the job adds to a row. `json` text is written as it is where the format can
// (JSON), as text elsewhere; a view with a null data pointer is null (JSON) or empty (CSV).
struct NewCell {
  std::string_view text;
  CellKind kind = CellKind::text;
};

// Writes the rows of a result in one format. Not thread-safe: the writer thread owns it. Every
// function throws Error(storage | storage_full) naming the file.
class RowSink {
 public:
  virtual ~RowSink() = default;

  // Names the input's columns (kept ones, in order) and the added ones. Called once, first.
  virtual void begin(const std::vector<std::string>& input_columns,
                     const std::vector<std::string>& new_columns) = 0;

  // Writes row `row` of `batch` (its cells are the input columns named to `begin`) and the added
  // cells. JSON sinks copy `batch.record(row)` verbatim when `keep_record` was asked for.
  virtual void write(const RowBatch& batch, std::size_t row, std::span<const NewCell> added) = 0;

  // Hands what is buffered to the operating system, so that a reader of a stream sees whole rows.
  virtual void flush() = 0;

  // Ends the document (closing bracket, compression trailer). The file is complete after it.
  virtual void finish() = 0;
};

}  // namespace batchllm
