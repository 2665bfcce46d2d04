// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_row_source.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/csv_rows.h"

namespace batchllm {
namespace {

using Table = std::vector<std::vector<std::string>>;
using Names = std::vector<std::string>;

// What every way of reading must give: in one go, and in small pieces.
CsvRows read_both_ways(const std::string& text, const InputSettings& settings = {}) {
  const auto rows = read_csv_text(text, settings);
  for (const std::size_t read_bytes : {1, 3, 17, 64, 100}) {
    const auto again = read_csv_text(text, settings, read_bytes);
    CAPTURE(text, read_bytes);
    CHECK(again.cells == rows.cells);
    REQUIRE(again.places.size() == rows.places.size());
    for (std::size_t i = 0; i < rows.places.size(); ++i) {
      CHECK(again.places[i].byte_offset == rows.places[i].byte_offset);
      CHECK(again.places[i].row_index == rows.places[i].row_index);
      CHECK(again.places[i].line == rows.places[i].line);
    }
    REQUIRE(again.bad.size() == rows.bad.size());
    for (std::size_t i = 0; i < rows.bad.size(); ++i) {
      CHECK(again.bad[i].message == rows.bad[i].message);
      CHECK(again.bad[i].raw == rows.bad[i].raw);
      CHECK(again.bad[i].place.byte_length == rows.bad[i].place.byte_length);
    }
  }
  return rows;
}

Names reasons(const CsvRows& rows) {
  Names names;
  for (const auto& bad : rows.bad) {
    names.push_back(bad.reason);
  }
  return names;
}

TEST_CASE("rows are cells under the names of the header", "[csv]") {
  const auto source = open_csv_text("id,text\n007,\"a, \"\"b\"\"\"\n2,\n");
  CHECK(source->columns() == Names{"id", "text"});
  CHECK_FALSE(source->is_open_ended());
  CHECK(read_csv_rows(*source).cells == Table{{"007", "a, \"b\""}, {"2", ""}});
  CHECK(source->facts() ==
        std::vector<std::pair<std::string, std::string>>{
            {"format", "csv"}, {"delimiter", ","}, {"quote", "\""}, {"header", "yes"}});
  CHECK(source->warnings().empty());
}

TEST_CASE("empty cells have a data pointer: they are not absent", "[csv]") {
  const auto source = open_csv_text("a,b,c\n,\n");
  RowBatch batch;
  REQUIRE(source->next_batch(batch));
  for (const auto& cell : batch.row_cells(0)) {
    CHECK(cell.empty());
    CHECK(cell.data() != nullptr);
  }
}

TEST_CASE("every place says row, line and bytes of its record", "[csv]") {
  const auto rows = read_both_ways("a,b\r\n1,\"x\r\ny\nz\"\r\n\r\n2,y\r3,z\n");
  REQUIRE(rows.places.size() == 3);
  CHECK(rows.places[0].line == 2);
  CHECK(rows.places[0].byte_offset == 5);
  CHECK(rows.places[0].byte_length == 10);
  CHECK(rows.places[1].row_index == 1);
  CHECK(rows.places[1].line == 6);
  CHECK(rows.places[2].line == 7);
  CHECK(rows.places[2].byte_offset == 23);
}

TEST_CASE("blank lines are rows in single-column inputs only", "[csv]") {
  CHECK(read_both_ways("a,b\n\n1,2\n\n\n3,4\n\n").cells == Table{{"1", "2"}, {"3", "4"}});
  CHECK(read_both_ways("\n\na\n1\n\n2\n").cells == Table{{"1"}, {""}, {"2"}});
}

TEST_CASE("rows with too few fields are filled up and counted, or bad", "[csv]") {
  const std::string text = "a,b,c\n1\n1,2\n1,2,3\n";
  const auto source = open_csv_text(text);
  CHECK(read_csv_rows(*source).cells == Table{{"1", "", ""}, {"1", "2", ""}, {"1", "2", "3"}});
  CHECK(source->padded_rows() == 2);

  InputSettings strict;
  strict.ragged = RaggedPolicy::error;
  strict.delimiter = ',';
  const auto rows = read_both_ways(text, strict);
  CHECK(rows.cells == Table{{"1", "2", "3"}});
  CHECK(rows.places[0].row_index == 2);
  CHECK(reasons(rows) == Names{"too_few_fields", "too_few_fields"});
  CHECK(rows.bad[1].message == "the row has 2 fields, the header has 3");
}

TEST_CASE("rows with too many fields are bad unless the surplus is empty", "[csv]") {
  const auto rows = read_both_ways("a,b,c\n1,2,3,4,5\n1,2,3,,\n1,2,3,,x\n4,5,6\n");
  CHECK(rows.cells == Table{{"1", "2", "3"}, {"4", "5", "6"}});
  CHECK(reasons(rows) == Names{"too_many_fields", "too_many_fields"});
  CHECK(rows.bad[0].message == "the row has 5 fields, the header has 3");
  CHECK(rows.bad[0].raw == "1,2,3,4,5");
  CHECK(rows.bad[1].place.row_index == 2);
  CHECK(rows.bad[1].place.line == 4);
}

TEST_CASE("names are made unique, and what was changed is said", "[csv]") {
  struct Case {
    std::string header;
    Names names;
    std::size_t warnings;
  };

  const auto& c = GENERATE(values<Case>({
      {"a,b,c", {"a", "b", "c"}, 0},
      {"a,a,a", {"a", "a_2", "a_3"}, 2},
      {"a,,b,", {"a", "col2", "b", "col4"}, 2},
      {"a,a_2,a", {"a", "a_2", "a_3"}, 1},
      {"col2,,x", {"col2", "col2_2", "x"}, 1},
      {" a ,\"b,c\",A", {" a ", "b,c", "A"}, 0},
      {"\xEF\xBB\xBFid,x,y", {"id", "x", "y"}, 0},
  }));
  CAPTURE(c.header);
  const auto source = open_csv_text(c.header + "\n1,2,3\n");
  CHECK(source->columns() == c.names);
  CHECK(source->warnings().size() == c.warnings);
}

TEST_CASE("without a header the columns are numbered or named by the user", "[csv]") {
  InputSettings settings;
  settings.has_header = false;
  {
    const auto source = open_csv_text("1,2\n3,4\n", settings);
    CHECK(source->columns() == Names{"col1", "col2"});
    const auto rows = read_csv_rows(*source);
    CHECK(rows.cells == Table{{"1", "2"}, {"3", "4"}});
    CHECK(rows.places[0].line == 1);
    CHECK(rows.places[0].row_index == 0);
  }
  settings.columns = {"id"};
  CHECK(open_csv_text("1,2\n", settings)->columns() == Names{"id", "col2"});
  settings.columns = {"id", "text", "more"};
  CHECK(read_csv_text("1,2\n", settings).cells == Table{{"1", "2", ""}});
  CHECK(read_csv_text("", settings).cells.empty());
}

TEST_CASE("an input without a header is refused", "[csv]") {
  for (const std::string text : {"", "\n\n"}) {
    try {
      open_csv_text(text);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::input_malformed);
      CHECK_THAT(error.message(), ContainsSubstring("memory.csv: the input is empty"));
    }
  }
  CHECK_THROWS_AS(open_csv_text("caf\xE9,b\n1,2\n"), Error);
  CHECK_THROWS_AS(open_csv_text("a,\"b\n1,2\n"), Error);
  CHECK(read_csv_text("a,b\n").cells.empty());
}

TEST_CASE("rows that are not UTF-8 are bad, their neighbours are not", "[csv]") {
  const auto rows = read_both_ways("a,b\n1,caf\xC3\xA9\n2,caf\xE9!\n3,x\n4,\xF0\x9F\x98\n5,y\n");
  CHECK(rows.cells == Table{{"1", "caf\xC3\xA9"}, {"3", "x"}, {"5", "y"}});
  CHECK(reasons(rows) == Names{"not_utf8", "not_utf8"});
  CHECK_THAT(rows.bad[0].message,
             ContainsSubstring("byte 6 of the record (byte 17 of the input) is 0xE9"));
  CHECK(rows.bad[0].place.line == 3);
  CHECK(rows.bad[0].raw == "2,caf\xE9!");
}

TEST_CASE("selected columns come alone and in the order asked for", "[csv]") {
  const auto source = open_csv_text("a,b,c\n1,\"2\"\"\",3\n4\n");
  source->select({"c", "b", "c"});
  CHECK(read_csv_rows(*source).cells == Table{{"3", "2\"", "3"}, {"", "", ""}});
  try {
    source->select({"B"});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::column_missing);
    CHECK_THAT(error.hint(), ContainsSubstring("\"b\""));
  }
}

TEST_CASE("a quote that is never closed costs its line only", "[csv]") {
  const auto rows = read_both_ways("a,b\n1,x\n2,\"y\n3,z\n4,w\n");
  CHECK(rows.cells == Table{{"1", "x"}, {"3", "z"}, {"4", "w"}});
  CHECK(reasons(rows) == Names{"unclosed_quote"});
  CHECK_THAT(rows.bad[0].message, ContainsSubstring("the quote opened on line 3 is not closed"));
  CHECK(rows.bad[0].place.row_index == 1);
  CHECK(rows.bad[0].raw == "2,\"y");
  CHECK(rows.places[1].row_index == 2);
  CHECK(rows.places[1].line == 4);
}

TEST_CASE("the message names the line of the quote, not of the record", "[csv]") {
  const auto rows = read_both_ways("a,b,c\n1,\"two\nlines\",\"open\n2,y,z\n");
  CHECK(rows.cells == Table{{"2", "y", "z"}});
  REQUIRE(rows.bad.size() == 1);
  CHECK(rows.bad[0].place.line == 2);
  CHECK_THAT(rows.bad[0].message, ContainsSubstring("opened on line 3"));
  CHECK(rows.places[0].line == 4);
}

TEST_CASE("lines of an unclosed field belong to its bad row until rows fit again", "[csv]") {
  const auto rows = read_both_ways("a,b,c\n1,2,\"text\nmore text\n\nlast, line\n4,5,6\n7,8,9\n");
  CHECK(rows.cells == Table{{"4", "5", "6"}, {"7", "8", "9"}});
  REQUIRE(rows.bad.size() == 1);
  CHECK(rows.bad[0].place.byte_length == std::string("1,2,\"text\nmore text\n\nlast, line").size());
}

TEST_CASE("a row over the limit is one bad row and reading goes on behind it", "[csv]") {
  InputSettings settings;
  settings.max_row_bytes = 100;
  settings.delimiter = ',';
  const std::string header = "a,b\n";
  const std::string after = "3,z\r\n4,w\n";

  struct Case {
    std::string record;
    std::string reason;
  };

  const auto& c = GENERATE(values<Case>({
      {"2," + std::string(500, 'x'), "too_long"},
      {"2,\"" + std::string(500, 'x'), "unclosed_quote"},
      {"2,\"" + std::string(500, 'x') + "\"", "unclosed_quote"},
      {"2,\"x\n" + std::string(40, 'y') + "\n" + std::string(80, 'z'), "unclosed_quote"},
      {"\"p\nq\"," + std::string(9000, 'x'), "too_long"},
  }));
  CAPTURE(c.record.substr(0, 20), c.reason);
  const auto rows = read_both_ways(header + "1,x\n" + c.record + "\r\n" + after, settings);
  CHECK(rows.cells == Table{{"1", "x"}, {"3", "z"}, {"4", "w"}});
  CHECK(reasons(rows) == Names{c.reason});
  REQUIRE(rows.places.size() == 3);
  CHECK(rows.places[1].row_index == 2);
  CHECK(rows.places[1].byte_offset == header.size() + 4 + c.record.size() + 2);
  CHECK(rows.places[1].line ==
        4 + static_cast<std::uint64_t>(std::count(c.record.begin(), c.record.end(), '\n')));
  CHECK(rows.bad[0].place.line == 3);
}

TEST_CASE("a row exactly at the limit is a row", "[csv]") {
  InputSettings settings;
  settings.max_row_bytes = 100;
  const std::string text(98, 'x');
  CHECK(read_both_ways("a,b\n1," + text + "\n2,\"" + text.substr(2) + "\"", settings).cells ==
        Table{{"1", text}, {"2", text.substr(2)}});
  CHECK(read_both_ways("a,b\n1," + text + "y\n2,z\n", settings).cells == Table{{"2", "z"}});
}

TEST_CASE("an unclosed quote in a large input loses one row of many", "[csv]") {
  InputSettings settings;
  settings.max_row_bytes = 64 << 10;
  std::string text = "id,text\n";
  for (int i = 0; i < 50000; ++i) {
    text += std::to_string(i) + (i == 20000 ? ",\"some text\n" : ",some text\n");
  }
  const auto rows = read_csv_text(text, settings);
  CHECK(rows.cells.size() == 49999);
  CHECK(reasons(rows) == Names{"unclosed_quote"});
  CHECK(rows.places.back().row_index == 49999);
  CHECK(rows.places.back().line == 50001);
}

TEST_CASE("reading goes on at the place of any row", "[csv]") {
  const std::string text =
      "a,b\r\n1,\"x\r\ny\"\r\n\r\n2,y\"q\r3\n4,\"\"\"\"\n5,6,7\n6,z\n\"7\",\"open\n8,w\n9,v\n";
  const auto all = read_csv_text(text);
  REQUIRE(all.cells.size() == 7);
  REQUIRE(all.bad.size() == 2);
  for (const std::size_t read_bytes : {std::size_t{1}, std::size_t{7}, std::string::npos}) {
    for (std::size_t i = 0; i < all.places.size(); ++i) {
      const auto source = open_csv_text(text, {}, read_bytes);
      source->seek(all.places[i]);
      const auto rest = read_csv_rows(*source);
      CAPTURE(read_bytes, i);
      CHECK(rest.cells ==
            Table(all.cells.begin() + static_cast<std::ptrdiff_t>(i), all.cells.end()));
      REQUIRE_FALSE(rest.places.empty());
      CHECK(rest.places.back().row_index == all.places.back().row_index);
      CHECK(rest.places.front().line == all.places[i].line);
      CHECK(rest.places.back().line == all.places.back().line);
    }
    for (const auto& bad : all.bad) {
      const auto source = open_csv_text(text, {}, read_bytes);
      source->seek(bad.place);
      const auto rest = read_csv_rows(*source);
      CHECK(rest.bad.front().message == bad.message);
    }
  }
}

TEST_CASE("long inputs keep their places over many blocks", "[csv]") {
  std::string text = "id,text,more\n";
  for (int i = 0; i < 60000; ++i) {
    text +=
        std::to_string(i) + ",\"line \"\"one\"\"\nline two\"," + std::string(i % 50, 'x') + "\n";
  }
  const auto rows = read_csv_text(text);
  REQUIRE(rows.cells.size() == 60000);
  CHECK(rows.cells[59999][0] == "59999");
  CHECK(rows.cells[59999][1] == "line \"one\"\nline two");
  CHECK(rows.places[59999].line == 2 + 2 * 59999);
  CHECK(text.substr(rows.places[59999].byte_offset, 6) == "59999,");
  const auto source = open_csv_text(text);
  source->seek(rows.places[50000]);
  CHECK(read_csv_rows(*source).cells.size() == 10000);
}

TEST_CASE("the user's delimiter and quote are taken as they are", "[csv]") {
  InputSettings settings;
  settings.delimiter = ':';
  settings.quote = '\'';
  CHECK(read_csv_text("a:b\n'1:2':\"x\n", settings).cells == Table{{"1:2", "\"x"}});
  settings.quote = '\0';
  CHECK(read_csv_text("a:b\n\"1:2\"\n", settings).cells == Table{{"\"1", "2\""}});
  settings.quote = ':';
  CHECK_THROWS_AS(open_csv_text("a:b\n", settings), Error);
  settings.delimiter = '\n';
  CHECK_THROWS_AS(open_csv_text("a:b\n", settings), Error);
}

}  // namespace
}  // namespace batchllm
