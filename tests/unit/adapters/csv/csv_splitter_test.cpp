// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_splitter.h"

#include "tests/support/catch.h"
#include "tests/support/csv_table.h"
#include "tests/support/suite_files.h"

#include <array>
#include <random>

namespace batchllm {
namespace {

using Fields = std::vector<std::vector<std::string>>;

Fields fields_of(const CsvTable& table) {
  Fields fields;
  for (const auto& row : table.rows) {
    fields.push_back(row.fields);
  }
  return fields;
}

// The plainest reading of the rules, one byte at a time, that shares nothing with the scanners.
CsvTable split_by_the_book(std::string_view text, const CsvDialect& dialect) {
  enum class In { field_start, unquoted, quoted, quote_in_quoted };
  CsvTable table;
  CsvTableRow row;
  std::string field;
  In in = In::field_start;
  const auto end_row = [&](std::size_t at, std::size_t next) {
    row.fields.push_back(std::move(field));
    row.end = at;
    table.rows.push_back(std::move(row));
    row = {};
    row.begin = next;
    field.clear();
    in = In::field_start;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    const bool is_quote = dialect.has_quote() && byte == dialect.quote;
    if (in == In::quoted) {
      if (is_quote) {
        in = In::quote_in_quoted;
        continue;
      }
      row.line_breaks += byte == '\r' || (byte == '\n' && text[i - 1] != '\r') ? 1 : 0;
      field += byte;
    } else if (in == In::field_start && is_quote) {
      in = In::quoted;
    } else if (in == In::quote_in_quoted && is_quote) {
      field += byte;
      in = In::quoted;
    } else if (byte == dialect.delimiter) {
      row.fields.push_back(std::move(field));
      field.clear();
      in = In::field_start;
    } else if (byte == '\n' || byte == '\r') {
      const bool pair = byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
      end_row(i, i + (pair ? 2 : 1));
      i += pair ? 1 : 0;
    } else {
      field += byte;
      in = In::unquoted;
    }
  }
  if (in == In::quoted) {
    table.unclosed = row.begin;
  } else if (row.begin < text.size()) {
    end_row(text.size(), text.size());
  }
  return table;
}

// Those that this processor can run.
std::vector<CsvScanner> scanners() {
  std::vector<CsvScanner> runnable;
  for (const auto scanner : {CsvScanner::plain, CsvScanner::avx2, CsvScanner::avx512}) {
    if (has_csv_scanner(scanner)) {
      runnable.push_back(scanner);
    }
  }
  return runnable;
}

// Compares quickly, and shows the text only when something differs.
void check_scanners_agree(const std::string& text, const CsvDialect& dialect, std::size_t piece) {
  const auto expected = split_by_the_book(text, dialect);
  for (const auto scanner : scanners()) {
    if (split_csv(text, dialect, scanner, piece) != expected) {
      CAPTURE(text, dialect.delimiter, dialect.quote, piece, static_cast<int>(scanner));
      CHECK(fields_of(split_csv(text, dialect, scanner, piece)) == fields_of(expected));
      FAIL("the scanner does not follow the rules");
    }
  }
}

TEST_CASE("CSV text is cut into fields as Python's csv module does it", "[csv]") {
  struct Case {
    std::string text;
    Fields fields;
  };

  const auto& c = GENERATE(values<Case>({
      {"", {}},
      {"a", {{"a"}}},
      {"a,b\nc,d\n", {{"a", "b"}, {"c", "d"}}},
      {"a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}}},
      {"a,b\rc,d\r", {{"a", "b"}, {"c", "d"}}},
      {"a\r\nb\rc\nd", {{"a"}, {"b"}, {"c"}, {"d"}}},
      {"a\n\nb\r\r\nc", {{"a"}, {""}, {"b"}, {""}, {"c"}}},
      {"a,", {{"a", ""}}},
      {",", {{"", ""}}},
      {"\n", {{""}}},
      {R"(a,"b,c")", {{"a", "b,c"}}},
      {R"("say ""hi""",x)", {{R"(say "hi")", "x"}}},
      {"\"two\nlines\",x", {{"two\nlines", "x"}}},
      {"\"two\r\nlines\",x\r\n", {{"two\r\nlines", "x"}}},
      {R"("",x)", {{"", "x"}}},
      {R"("""",x)", {{"\"", "x"}}},
      {R"(12" pipe,5' rod)", {{"12\" pipe", "5' rod"}}},
      {R"("a"b,c)", {{"ab", "c"}}},
      {R"("a"b"c",d)", {{"ab\"c\"", "d"}}},
      {R"("a""b"c"",d""")", {{"a\"bc\"\"", "d\"\"\""}}},
      {R"("""a""",""""b,"")", {{"\"a\"", "\"b", ""}}},
      {R"("a" ,"b")", {{"a ", "b"}}},
      {R"( "a,b")", {{" \"a", "b\""}}},
      {std::string("a\0b,\0\n", 6), {{std::string("a\0b", 3), std::string("\0", 1)}}},
      {"caf\xC3\xA9,\xE6\x95\xB0", {{"caf\xC3\xA9", "\xE6\x95\xB0"}}},
  }));
  CAPTURE(c.text);
  for (const auto scanner : scanners()) {
    CHECK(fields_of(split_csv(c.text, {}, scanner)) == c.fields);
  }
  // The same behind and in front of enough text for whole chunks.
  const std::string before(130, 'x');
  check_scanners_agree(before + "\n" + c.text + "\n" + before, {}, std::string::npos);
}

TEST_CASE("without a quote character, quotes are text", "[csv]") {
  const CsvDialect dialect{';', '\0'};
  const std::string text = "\"a;b\"\n" + std::string("x\0;\"", 4) + std::string(100, '"');
  check_scanners_agree(text, dialect, std::string::npos);
  CHECK(fields_of(split_csv(text, dialect, CsvScanner::automatic))[0] ==
        std::vector<std::string>{"\"a", "b\""});
}

TEST_CASE("a quote that is never closed leaves its record unfinished", "[csv]") {
  const std::string text = "a,b\n1,\"x\n2,y\n";
  for (const auto scanner : scanners()) {
    const auto table = split_csv(text, {}, scanner);
    CHECK(table.rows.size() == 1);
    CHECK(table.unclosed == 4);
  }
}

TEST_CASE("scanners agree on random text cut at every byte", "[csv]") {
  constexpr std::array<std::string_view, 9> k_pieces = {
      "a", ",", " ", "\"", "\n", "\r", "\t", "\xC3\xA9", std::string_view("\0", 1)};
  std::mt19937 random(20261121);  // NOLINT(cert-msc51-cpp): the same every time
  for (std::size_t piece = 1; piece <= 70; ++piece) {
    for (int round = 0; round < 40; ++round) {
      std::string text;
      // From text in which every byte matters to text in which few do.
      const std::size_t filler = random() % 24;
      const std::size_t pieces = random() % 300;
      for (std::size_t i = 0; i < pieces; ++i) {
        const std::size_t pick = random() % (k_pieces.size() + filler);
        text += pick < k_pieces.size() ? k_pieces.at(pick) : "b";
      }
      check_scanners_agree(text, {',', '"'}, piece);
      check_scanners_agree(text, {'\t', '"'}, piece);
      check_scanners_agree(text, {'a', '\0'}, piece);
    }
  }
}

TEST_CASE("scanners agree on well-formed quotes around every boundary", "[csv]") {
  const std::string row = "id,\"x,\r\n\"\"y\"\"\",\"\"\r\n1,2\n";
  for (std::size_t offset = 0; offset < 130; ++offset) {
    std::string text(offset, 'z');
    text += '\n';
    for (int i = 0; i < 6; ++i) {
      text += row;
    }
    check_scanners_agree(text, {}, std::string::npos);
    check_scanners_agree(text, {}, 64);
    check_scanners_agree(text, {}, offset + 1);
  }
}

TEST_CASE("scanners agree on every file of the suites", "[csv][suites]") {
  const auto files = files_below(suites_folder());
  if (files.empty()) {
    WARN("not run: no test suites in " << suites_folder());
    return;
  }
  constexpr std::size_t k_most_bytes = std::size_t{512} << 10;
  constexpr std::array<CsvDialect, 5> k_dialects = {
      {{',', '"'}, {'\t', '"'}, {';', '"'}, {'|', '"'}, {',', '\''}}};
  std::size_t compared = 0;
  for (const auto& file : files) {
    const std::string text = file_text(file).substr(0, k_most_bytes);
    CAPTURE(file.string());
    for (const CsvDialect& dialect : k_dialects) {
      const auto expected = split_csv(text, dialect, CsvScanner::plain, 4099);
      for (const auto scanner : scanners()) {
        if (split_csv(text, dialect, scanner) != expected) {
          FAIL_CHECK("delimiter " << dialect.delimiter << " quote " << dialect.quote << " scanner "
                                  << static_cast<int>(scanner));
        }
      }
      ++compared;
    }
  }
  CHECK(compared == files.size() * k_dialects.size());
}

TEST_CASE("bytes can be dropped from the front of the buffer between two scans", "[csv]") {
  const std::string text = "a,\"b\nc\",d\r\n1,2,3\r\nx,\"y\"\"z\",w\r\n";
  const auto expected = split_by_the_book(text, {});
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    CsvSplitter splitter{CsvDialect{}};
    std::string buffer;
    std::size_t dropped = 0;
    std::vector<CsvTableRow> rows;
    for (std::size_t at = 0; at <= text.size(); at += piece) {
      buffer += text.substr(at, piece);
      splitter.scan(buffer.data(), buffer.size());
      if (at + piece > text.size()) {
        REQUIRE(splitter.finish());
      }
      for (const auto& record : splitter.records()) {
        CsvTableRow row{record.begin + dropped, record.end + dropped, record.line_breaks, {}};
        for (std::size_t i = 0; i < record.fields; ++i) {
          row.fields.emplace_back(splitter.value(buffer.data(), record, i));
        }
        rows.push_back(std::move(row));
      }
      splitter.drop_records();
      const std::size_t begin = std::min(splitter.record_begin(), buffer.size());
      buffer.erase(0, begin);
      splitter.shift(begin);
      dropped += begin;
    }
    CAPTURE(piece);
    CHECK(rows == expected.rows);
  }
}

}  // namespace
}  // namespace batchllm
