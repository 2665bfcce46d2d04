// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_cells.h"
#include "adapters/json/json_line_tokens.h"
#include "core/row_batch.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace batchllm::json {

// A row of JSONL, found by LineReader.
struct LineRow {
  std::size_t begin = 0;   // of its object, in the lines
  std::size_t length = 0;  // without white space around it
  std::uint64_t line = 0;
};

// Reads rows out of many lines of JSONL at once, where they are objects without fault; a line that
// is anything else is left to those who can say what it is. Not thread-safe.
class LineReader {
 public:
  enum class Found {
    row,       // the row is in the batch's cells
    doubtful,  // the line at `at()` is no object, or has a fault: not read, the batch unchanged
    end,       // no line is left
  };

  explicit LineReader(std::size_t max_row_bytes) : max_row_bytes_(max_row_bytes) {}

  // Begins with `lines`, of which the first has number `line`; see LineTokens::find for what they
  // must be. False: they cannot be read here.
  bool start(std::string_view lines, std::uint64_t line);

  // Reads the next line that is not empty and puts its cells into `batch` and `arena`.
  Found next(CellPicker& picker, RowBatch& batch, TextArena& arena, LineRow& row);

  // Goes on at a line's start at or behind `at()`.
  void skip_to(std::size_t at, std::uint64_t line) noexcept;

  std::string_view lines() const noexcept { return lines_; }

  // Where the next line begins, in the lines, and its number.
  std::size_t at() const noexcept { return at_; }

  std::uint64_t line() const noexcept { return line_; }

 private:
  void skip_empty_lines() noexcept;

  const std::size_t max_row_bytes_;
  LineTokens found_;
  std::string_view lines_;
  const std::uint32_t* token_ = nullptr;
  Backslashes backslash_ = nullptr;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
};

}  // namespace batchllm::json
