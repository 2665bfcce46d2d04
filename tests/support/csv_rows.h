// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/csv/csv_row_source.h"
#include "tests/support/memory_byte_stream.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// What a row source gave, copied out of its batches.
struct CsvRows {
  std::vector<std::vector<std::string>> cells;
  std::vector<RowPlace> places;
  std::vector<BadRow> bad;
};

inline CsvRows read_csv_rows(RowSource& source) {
  CsvRows rows;
  RowBatch batch;
  while (source.next_batch(batch)) {
    for (std::size_t i = 0; i < batch.row_count(); ++i) {
      const auto cells = batch.row_cells(i);
      rows.cells.emplace_back(cells.begin(), cells.end());
      rows.places.push_back(batch.places[i]);
    }
    rows.bad.insert(rows.bad.end(), batch.bad_rows.begin(), batch.bad_rows.end());
  }
  return rows;
}

inline std::unique_ptr<CsvRowSource> open_csv_text(std::string text,
                                                   const InputSettings& settings = {},
                                                   std::size_t read_bytes = std::string::npos) {
  return open_csv(std::make_unique<MemoryByteStream>(std::move(text), read_bytes), settings, false);
}

inline CsvRows read_csv_text(std::string text,
                             const InputSettings& settings = {},
                             std::size_t read_bytes = std::string::npos) {
  return read_csv_rows(*open_csv_text(std::move(text), settings, read_bytes));
}

}  // namespace batchllm
