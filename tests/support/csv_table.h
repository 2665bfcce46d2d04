// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/csv/csv_splitter.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// A record as the splitter sees it, values unquoted.
struct CsvTableRow {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint32_t line_breaks = 0;
  std::vector<std::string> fields;

  friend bool operator==(const CsvTableRow&, const CsvTableRow&) = default;
};

// Everything that the splitter finds in a text, which it gets in pieces of `piece` bytes. The quote
// that is open at the end, if any, is taken literally: `unclosed` says where its record begins.
struct CsvTable {
  std::vector<CsvTableRow> rows;
  std::size_t unclosed = std::string::npos;

  friend bool operator==(const CsvTable&, const CsvTable&) = default;
};

inline CsvTable split_csv(std::string text,
                          const CsvDialect& dialect,
                          CsvScanner scanner,
                          std::size_t piece = std::string::npos) {
  CsvSplitter splitter(dialect, scanner);
  CsvTable table;
  for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    splitter.scan(text.data(), at + std::min(piece, text.size() - at));
  }
  if (!splitter.finish()) {
    table.unclosed = splitter.record_begin();
  }
  for (const auto& record : splitter.records()) {
    CsvTableRow row{record.begin, record.end, record.line_breaks, {}};
    for (std::size_t i = 0; i < record.fields; ++i) {
      row.fields.emplace_back(splitter.value(text.data(), record, i));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace batchllm
