// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_batch.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Reads the rows of an input from the first to the last. Not thread-safe: one thread owns it.
class RowSource {
 public:
  virtual ~RowSource() = default;

  // Column names in input order: unique, never empty. For open-ended inputs (JSON) those of the
  // first rows.
  virtual const std::vector<std::string>& columns() const = 0;

  // True when later rows may bring columns that `columns` does not list.
  virtual bool is_open_ended() const = 0;

  // Says which columns the cells of a batch are to hold, in which order. Before the first
  // next_batch; without it, cells are `columns()`. Names that `columns()` does not list are allowed
  // for open-ended inputs (their cells are null where a row has none), else Error(column_missing).
  virtual void select(const std::vector<std::string>& names) = 0;

  // Fills `batch` with the next rows (at least one row or bad row). The views stay valid until the
  // next call or the end of the source. Returns false, with `batch` empty, at the end of the input.
  // Throws Error(input_unreadable | input_malformed) naming file, line and byte.
  virtual bool next_batch(RowBatch& batch) = 0;

  // Goes on at a row whose place an earlier pass over the same inputs reported.
  virtual void seek(const RowPlace& place) = 0;

  // Share of the input that has been consumed, 0 to 1; nullopt when its size is not known (a pipe).
  virtual std::optional<double> fraction_read() const = 0;
};

}  // namespace batchllm
