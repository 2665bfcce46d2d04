// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_row_source.h"
#include "core/text.h"
#include "tests/support/memory_byte_stream.h"

#include <memory>
#include <string>
#include <vector>

namespace batchllm {

// What a source gave, written so that a test can compare it: each row as `#index@line column=cell
// …`, JSON cells in <>, missing ones as -; each bad row as `!reason`.
struct ReadRows {
  std::vector<std::string> rows;
  std::vector<RowPlace> places;
  std::vector<std::string> records;
  std::vector<BadRow> bad_rows;

  std::string text() const {
    std::string all;
    for (const auto& row : rows) {
      all += row + "\n";
    }
    return all;
  }
};

inline std::string cell_text(const RowBatch& batch, std::size_t row, std::size_t column) {
  const std::string_view cell = batch.row_cells(row)[column];
  if (cell.data() == nullptr) {
    return "-";
  }
  return batch.cell_kind(row, column) == CellKind::json ? "<" + std::string(cell) + ">"
                                                        : std::string(cell);
}

inline ReadRows read_rows(RowSource& source) {
  ReadRows result;
  RowBatch batch;
  while (source.next_batch(batch)) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      const RowPlace& place = batch.places[row];
      std::string line = "#" + std::to_string(place.row_index) + "@" + std::to_string(place.line);
      for (std::size_t column = 0; column < batch.column_count; ++column) {
        line += " " + cell_text(batch, row, column);
      }
      result.rows.push_back(line);
      result.places.push_back(place);
      result.records.emplace_back(batch.record(row));
    }
    for (const auto& bad : batch.bad_rows) {
      result.bad_rows.push_back(bad);
    }
  }
  return result;
}

inline std::unique_ptr<JsonRowSource> json_source(std::string text,
                                                  const InputSettings& settings = {},
                                                  std::size_t read_bytes = std::string::npos) {
  return open_json(std::make_unique<MemoryByteStream>(std::move(text), read_bytes), settings);
}

}  // namespace batchllm
