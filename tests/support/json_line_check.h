// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_check.h"
#include "adapters/json/json_line_reader.h"
#include "core/text.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Lines in memory as LineReader wants them: whole, with readable bytes behind them.
class PaddedLines {
 public:
  explicit PaddedLines(std::string_view text) : bytes_(text) {
    if (!text.ends_with('\n')) {
      bytes_ += '\n';
    }
    size_ = bytes_.size();
    bytes_.append(64, '\0');
  }

  std::string_view text() const { return std::string_view(bytes_).substr(0, size_); }

 private:
  std::string bytes_;
  std::size_t size_ = 0;
};

inline std::vector<std::string> picked_cells(const RowBatch& batch) {
  std::vector<std::string> cells;
  for (std::size_t column = 0; column < batch.cells.size(); ++column) {
    const std::string_view cell = batch.cells[column];
    cells.push_back(cell.data() == nullptr
                        ? "null"
                        : (batch.kinds[column] == CellKind::json ? "json " : "text ") +
                              std::string(cell));
  }
  return cells;
}

// Reads `lines` with LineReader and each line by itself with the patient check and the plain walk.
// Returns what they do not agree on, empty when there is nothing. A line that LineReader leaves
// alone may be anything, except where `strict` says that it has to take every good object
// (unless its line has form feeds, which the patient path alone counts as white space).
inline std::string line_reader_mistake(std::string_view text,
                                       const std::vector<std::string>& columns,
                                       bool strict) {
  const PaddedLines padded(text);
  const std::string_view lines = padded.text();
  json::LineReader reader(lines.size());
  if (lines.size() > json::LineTokens::k_most_bytes || !reader.start(lines, 1)) {
    return "";
  }
  json::CellPicker quick(columns);
  json::CellPicker plain(columns);
  json::TextArena arena;
  std::uint64_t number = 1;
  for (std::size_t begin = 0; begin < lines.size(); ++number) {
    const std::string_view line = lines.substr(begin, lines.find('\n', begin) - begin);
    const std::size_t behind = begin + line.size() + 1;
    const std::string_view record = trim(line);
    if (trim(line).empty()) {
      begin = behind;
      reader.skip_to(std::max(reader.at(), begin), std::max(reader.line(), number + 1));
      continue;
    }
    const bool good = record.front() == '{' && !json::check_json(record);
    const bool has_odd_space = line.find_first_of("\f\v") != std::string_view::npos;
    RowBatch got;
    json::LineRow row;
    const auto found = reader.next(quick, got, arena, row);
    if (found == json::LineReader::Found::row) {
      RowBatch expected;
      if (!good || row.line != number || lines.substr(row.begin, row.length) != record) {
        return "not a row: " + std::string(line);
      }
      plain.pick(record, {}, expected, arena);
      if (picked_cells(got) != picked_cells(expected)) {
        return "other cells: " + std::string(line);
      }
      if (reader.at() != behind || reader.line() != number + 1) {
        return "wrong place after: " + std::string(line);
      }
    } else if (!got.cells.empty() || found == json::LineReader::Found::end ||
               (good && strict && !has_odd_space)) {
      return "not taken: " + std::string(line);
    } else {
      reader.skip_to(behind, number + 1);
    }
    begin = behind;
  }
  json::LineRow row;
  RowBatch rest;
  return reader.next(quick, rest, arena, row) == json::LineReader::Found::end ? "" : "no end";
}

}  // namespace batchllm
