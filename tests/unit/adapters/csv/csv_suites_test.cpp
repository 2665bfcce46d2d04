// SPDX-License-Identifier: Apache-2.0
// The reader against tables that others agree on.
#include "adapters/csv/csv_dialect.h"
#include "tests/support/catch.h"
#include "tests/support/csv_rows.h"
#include "tests/support/csv_table.h"
#include "tests/support/suite_files.h"

#include <simdjson.h>

#include <algorithm>
#include <set>

namespace batchllm {
namespace {

using Table = std::vector<std::vector<std::string>>;

struct ConsensusCase {
  std::string file;
  CsvDialect dialect;
  std::size_t width = 0;
  Table rows;
};

std::vector<ConsensusCase> consensus_cases() {
  std::vector<ConsensusCase> cases;
  simdjson::dom::parser parser;
  simdjson::padded_string text;
  if (simdjson::padded_string::load((suites_folder() / "consensus/dev.jsonl").string()).get(text) !=
      simdjson::SUCCESS) {
    return cases;
  }
  simdjson::dom::document_stream documents;
  REQUIRE(parser.parse_many(text, text.size()).get(documents) == simdjson::SUCCESS);
  for (const auto document : documents) {
    ConsensusCase c;
    c.file = std::string(document["file"].get_string().value());
    c.dialect.delimiter = document["delim"].get_string().value().at(0);
    const auto quote = document["quote"].get_string().value();
    c.dialect.quote = quote.empty() ? '\0' : quote.front();
    c.width = static_cast<std::size_t>(document["width"].get_uint64().value());
    const simdjson::dom::array rows = document["rows"].get_array().value();
    for (const auto row : rows) {
      auto& cells = c.rows.emplace_back();
      const simdjson::dom::array row_cells = row.get_array().value();
      for (const auto cell : row_cells) {
        cells.emplace_back(cell.get_string().value());
      }
    }
    cases.push_back(std::move(c));
  }
  return cases;
}

std::string suite_text(const std::string& file) {
  std::string text = file_text(suites_folder() / file);
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.erase(0, 3);
  }
  return text;
}

// Records that are not empty throughout, short ones filled up: as the consensus tables are made.
Table table_of(const std::string& text, const CsvDialect& dialect, std::size_t width) {
  Table table;
  for (auto& row : split_csv(text, dialect, CsvScanner::automatic).rows) {
    if (std::all_of(
            row.fields.begin(), row.fields.end(), [](const auto& f) { return f.empty(); })) {
      continue;
    }
    row.fields.resize(std::max(row.fields.size(), width));
    table.push_back(std::move(row.fields));
  }
  return table;
}

TEST_CASE("with the dialect of the consensus tables, the reader gives the same tables",
          "[csv][suites]") {
  const auto cases = consensus_cases();
  if (cases.empty()) {
    WARN("not run: no consensus tables in " << suites_folder());
    return;
  }
  // A backslash before a quote is an escape there.
  const std::set<std::string> exceptions = {"duckdb-csv/data/csv/auto/single_quote_backslash.csv",
                                            "duckdb-csv/data/csv/bad_escape.csv"};
  std::size_t same = 0;
  for (const auto& c : cases) {
    const bool equal = table_of(suite_text(c.file), c.dialect, c.width) == c.rows;
    same += equal ? 1 : 0;
    if (!equal && exceptions.count(c.file) == 0) {
      FAIL_CHECK(c.file);
    }
  }
  CHECK(same + exceptions.size() == cases.size());
}

constexpr std::size_t k_same_dialects = 371;

TEST_CASE("the dialect found is that of the consensus tables", "[csv][suites]") {
  const auto cases = consensus_cases();
  if (cases.empty()) {
    WARN("not run: no consensus tables in " << suites_folder());
    return;
  }
  std::size_t same = 0;
  for (const auto& c : cases) {
    const std::string text = suite_text(c.file);
    const auto sample = std::string_view(text).substr(0, k_dialect_sample_bytes);
    const auto dialect =
        detect_csv_dialect(sample, sample.size() == text.size(), {}, c.file.ends_with(".tsv"));
    // What decides is the table: a quote that does not occur, say, may be any.
    same += dialect == c.dialect || table_of(text, dialect, c.width) == c.rows ? 1 : 0;
  }
  // The others are fuzzed files, files about wrong input, and single columns whose text has a
  // delimiter in it (taken as "|" there).
  INFO(same << " of " << cases.size());
  CHECK(same >= k_same_dialects);
}

TEST_CASE("csv-spectrum is read as its JSON says", "[csv][suites]") {
  const auto folder = suites_folder() / "csv-spectrum-npm";
  const auto files = files_below(folder / "csvs");
  if (files.empty()) {
    WARN("not run: no csv-spectrum in " << folder);
    return;
  }
  std::size_t same = 0;
  for (const auto& file : files) {
    if (file.stem() == "location_coordinates") {
      continue;  // its JSON is no list and has another telephone number
    }
    CAPTURE(file.filename().string());
    std::string text = file_text(file);
    if (file.stem().string().ends_with("_crlf") && text.find('\r') == std::string::npos) {
      // A checkout that converts line ends has spoilt it.
      for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
        text.insert(at, 1, '\r');
      }
    }
    const auto source = open_csv_text(text);
    const auto rows = read_csv_rows(*source);
    CHECK(rows.bad.empty());
    simdjson::dom::parser parser;
    simdjson::dom::array expected;
    const auto json = folder / "json" / (file.stem().string() + ".json");
    REQUIRE(parser.load(json.string()).get(expected) == simdjson::SUCCESS);
    bool equal = expected.size() == rows.cells.size();
    for (std::size_t i = 0; equal && i < rows.cells.size(); ++i) {
      for (std::size_t column = 0; column < source->columns().size(); ++column) {
        std::string_view cell;
        const auto error = expected.at(i)[source->columns()[column]].get_string().get(cell);
        equal = equal && error == simdjson::SUCCESS && cell == rows.cells[i][column];
      }
    }
    CHECK(equal);
    same += equal ? 1 : 0;
  }
  CHECK(same == 11);
}

}  // namespace
}  // namespace batchllm
