// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Where a row stands in the inputs of a job.
struct RowPlace {
  std::uint64_t row_index = 0;  // 0-based over all inputs, bad rows counted; messages show +1
  std::uint64_t line = 0;       // 1-based physical line of its file, 0 when the file has no lines
  std::uint64_t byte_offset =
      0;  // in its file's decoded text (after decompression and transcoding)
  std::uint32_t byte_length = 0;  // of the record without its line ending
  std::uint32_t input = 0;        // which input of the job
};

// What a cell's text is. A string's text is its value; `json` is a number, boolean, array or object
// in the spelling of the input.
enum class CellKind : std::uint8_t { text, json };

// A record that could not become a row. `reason` is a short stable word (`not_utf8`, `too_long`,
// `too_many_fields`, `not_json`, …), `message` says it to a person, `raw` is its bytes (cut at
// `k_bad_row_bytes`).
struct BadRow {
  static constexpr std::size_t k_bad_row_bytes = 4096;

  RowPlace place;
  std::string reason;
  std::string message;
  std::string raw;
};

// Rows on their way from a source to the template: views into bytes that the batch owns. Cells are
// row-major, `column_count` for each row. A cell that the row does not have (or JSON null) is a
// view with a null data pointer; an empty one has a non-null pointer.
//
// Moved or reused, never shared; not thread-safe. Views die with `clear`.
class RowBatch {
 public:
  std::size_t row_count() const noexcept { return places.size(); }

  bool empty() const noexcept { return places.empty() && bad_rows.empty(); }

  std::span<const std::string_view> row_cells(std::size_t row) const noexcept {
    return {cells.data() + row * column_count, column_count};
  }

  // The kind of one cell: `text` for every format but JSON.
  CellKind cell_kind(std::size_t row, std::size_t column) const noexcept {
    return kinds.empty() ? CellKind::text : kinds[row * column_count + column];
  }

  // The whole record as it stands in the input, for formats whose rows are JSON objects; else
  // empty.
  std::string_view record(std::size_t row) const noexcept {
    return records.empty() ? std::string_view{} : records[row];
  }

  // Forgets the rows and keeps the memory.
  void clear() noexcept {
    cells.clear();
    kinds.clear();
    records.clear();
    places.clear();
    bad_rows.clear();
  }

  std::size_t column_count = 0;
  std::vector<std::string_view> cells;
  std::vector<CellKind> kinds;            // empty when every cell is text
  std::vector<std::string_view> records;  // empty when rows are not JSON
  std::vector<RowPlace> places;
  std::vector<BadRow> bad_rows;  // those met since the last batch, in input order
};

}  // namespace batchllm
