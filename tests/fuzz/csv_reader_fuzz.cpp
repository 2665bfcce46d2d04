// SPDX-License-Identifier: Apache-2.0
// Any bytes: both scanners find the same records, nothing is lost between two records, and the row
// source gives the same rows however the input is cut.
#include "core/error.h"
#include "tests/support/csv_rows.h"
#include "tests/support/csv_table.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// Between two records there is one line ending, and nothing else.
void require_no_gaps(const std::string& text, const batchllm::CsvTable& table) {
  std::size_t next = 0;
  for (const auto& row : table.rows) {
    require(row.begin == next && row.end >= row.begin && row.end <= text.size());
    next = row.end;
    if (next < text.size()) {
      require(text[next] == '\r' || text[next] == '\n');
      const bool pair = text[next] == '\r' && next + 1 < text.size() && text[next + 1] == '\n';
      next += pair ? 2 : 1;
    }
  }
  require(next == (table.unclosed == std::string::npos ? text.size() : table.unclosed));
}

struct Outcome {
  batchllm::CsvRows rows;
  std::string error;
};

Outcome read(const std::string& text,
             const batchllm::InputSettings& settings,
             std::size_t read_bytes) {
  Outcome outcome;
  try {
    outcome.rows = batchllm::read_csv_text(text, settings, read_bytes);
  } catch (const batchllm::Error& error) {
    outcome.error = error.message();
  }
  return outcome;
}

void require_same_rows(const Outcome& a, const Outcome& b) {
  require(a.error == b.error && a.rows.cells == b.rows.cells);
  require(a.rows.places.size() == b.rows.places.size() && a.rows.bad.size() == b.rows.bad.size());
  for (std::size_t i = 0; i < a.rows.places.size(); ++i) {
    require(a.rows.places[i].line == b.rows.places[i].line);
    require(a.rows.places[i].byte_offset == b.rows.places[i].byte_offset);
    require(a.rows.places[i].row_index == b.rows.places[i].row_index);
  }
  for (std::size_t i = 0; i < a.rows.bad.size(); ++i) {
    require(a.rows.bad[i].message == b.rows.bad[i].message);
    require(a.rows.bad[i].place.byte_offset == b.rows.bad[i].place.byte_offset);
    require(a.rows.bad[i].place.byte_length == b.rows.bad[i].place.byte_length);
  }
}

// Every row index is given out once, rows and bad rows together, and no two of them share bytes.
void require_all_accounted(const std::string& text, const batchllm::CsvRows& rows) {
  std::vector<const batchllm::RowPlace*> places(rows.places.size() + rows.bad.size(), nullptr);
  const auto note = [&places](const batchllm::RowPlace& place) {
    require(place.row_index < places.size() && places[place.row_index] == nullptr);
    places[place.row_index] = &place;
  };
  for (const auto& place : rows.places) {
    note(place);
  }
  for (const auto& bad : rows.bad) {
    note(bad.place);
  }
  std::uint64_t before = 0;
  for (const auto* place : places) {
    require(place->byte_offset >= before);
    // What lies between two rows can only be line endings: blank lines. The header is before all.
    if (place != places.front()) {
      const auto between = text.substr(before, place->byte_offset - before);
      require(between.find_first_not_of("\r\n") == std::string::npos);
    }
    before = place->byte_offset + place->byte_length;
  }
  if (!places.empty()) {
    require(before <= text.size());
    require(text.find_first_not_of("\r\n", before) == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 3) {
    return 0;
  }
  constexpr char k_delimiters[] = {',', ';', '\t', 'a'};
  constexpr char k_quotes[] = {'"', '\'', '\0', '"'};
  const batchllm::CsvDialect dialect{k_delimiters[bytes[0] % 4], k_quotes[bytes[0] / 4 % 4]};
  const std::size_t piece = 1 + bytes[1] % 200;
  const std::string text(reinterpret_cast<const char*>(bytes) + 3, size - 3);

  const auto table = split_csv(text, dialect, batchllm::CsvScanner::automatic, piece);
  require(table == split_csv(text, dialect, batchllm::CsvScanner::plain));
  require_no_gaps(text, table);

  batchllm::InputSettings settings;
  settings.max_row_bytes = 1 + bytes[2];
  settings.has_header = bytes[1] < 200;
  const auto whole = read(text, settings, std::string::npos);
  require_same_rows(whole, read(text, settings, piece));
  require_all_accounted(text, whole.rows);
  settings.delimiter = dialect.delimiter;
  settings.quote = dialect.quote;
  const auto given = read(text, settings, std::string::npos);
  require_same_rows(given, read(text, settings, piece));
  require_all_accounted(text, given.rows);
  return 0;
}
