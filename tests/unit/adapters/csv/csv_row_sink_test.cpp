// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_row_sink.h"

#include "tests/support/catch.h"
#include "tests/support/csv_rows.h"

#include <array>
#include <random>

namespace batchllm {
namespace {

using Cells = std::vector<std::string>;

// Keeps what it gets in a string of the test.
class StringSink final : public ByteSink {
 public:
  explicit StringSink(std::string& text) : text_(text) {}

  void write(std::string_view bytes) override { text_.append(bytes); }

  void flush() override { text_ += flush_mark_; }

  void finish() override {}

 private:
  std::string& text_;
  std::string flush_mark_;
};

RowBatch batch_of(const std::vector<Cells>& rows) {
  RowBatch batch;
  batch.column_count = rows.empty() ? 0 : rows.front().size();
  for (const auto& row : rows) {
    batch.cells.insert(batch.cells.end(), row.begin(), row.end());
    batch.places.emplace_back();
  }
  return batch;
}

std::string written(const Cells& names,
                    const std::vector<Cells>& rows,
                    bool escape_formulas = false,
                    char delimiter = ',') {
  std::string text;
  CsvRowSink sink(std::make_unique<StringSink>(text), delimiter, escape_formulas);
  sink.begin(names, {});
  const auto batch = batch_of(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    sink.write(batch, i, {});
  }
  sink.finish();
  return text;
}

TEST_CASE("fields are quoted only where they must be", "[csv]") {
  struct Case {
    Cells row;
    std::string line;
  };

  const auto& c = GENERATE(values<Case>({
      {{"a", "b"}, "a,b\n"},
      {{"a,b", "c"}, "\"a,b\",c\n"},
      {{"say \"hi\"", "c"}, "\"say \"\"hi\"\"\",c\n"},
      {{"two\nlines", "cr\rhere"}, "\"two\nlines\",\"cr\rhere\"\n"},
      {{" spaces ", "tab\there"}, " spaces ,tab\there\n"},
      {{"", ""}, ",\n"},
      {{"caf\xC3\xA9", "\xE6\x95\xB0"}, "caf\xC3\xA9,\xE6\x95\xB0\n"},
      {{"a long text before the, comma", "x"}, "\"a long text before the, comma\",x\n"},
      {{"=1+1", "-x"}, "=1+1,-x\n"},
  }));
  CHECK(written({"p", "q"}, {c.row}) == "p,q\n" + c.line);
}

TEST_CASE("an empty field alone in its row is not a blank line", "[csv]") {
  CHECK(written({"p"}, {{""}, {"x"}}) == "p\n\"\"\nx\n");
}

TEST_CASE("tab-separated output quotes tabs, not commas", "[csv]") {
  CHECK(written({"p", "q"}, {{"a,b", "c\td"}}, false, '\t') == "p\tq\na,b\t\"c\td\"\n");
}

TEST_CASE("cells that a spreadsheet would run get an apostrophe on request", "[csv]") {
  CHECK(written({"a", "b", "c", "d"}, {{"=1+1", "+1-2", "-5", "+3.2"}}, true) ==
        "a,b,c,d\n'=1+1,'+1-2,-5,+3.2\n");
  CHECK(written({"a", "b", "c", "d"}, {{"@x", "\tx", "\rx", "-1,5"}}, true) ==
        "a,b,c,d\n'@x,'\tx,\"'\rx\",\"'-1,5\"\n");
  CHECK(written({"=a", "b"}, {{"-", "+"}}, true) == "'=a,b\n'-,'+\n");
}

TEST_CASE("added cells follow the input's, null ones are empty", "[csv]") {
  std::string text;
  CsvRowSink sink(std::make_unique<StringSink>(text), ',', false);
  sink.begin({"id"}, {"label", "cost", "error"});
  const std::vector<Cells> rows = {{"7"}};  // the batch looks into it
  const auto batch = batch_of(rows);
  const std::array<NewCell, 3> added = {
      NewCell{"bug, \"bad\""}, NewCell{"0.5", CellKind::json}, NewCell{}};
  sink.write(batch, 0, added);
  sink.flush();
  CHECK(text == "id,label,cost,error\n7,\"bug, \"\"bad\"\"\",0.5,\n");
}

TEST_CASE("a header is left out when appending", "[csv]") {
  std::string text;
  CsvRowSink sink(std::make_unique<StringSink>(text), ',', false, false);
  sink.begin({"id"}, {"label"});
  sink.write(batch_of({{"7"}}), 0, std::array<NewCell, 1>{NewCell{"x"}});
  sink.finish();
  CHECK(text == "7,x\n");
}

TEST_CASE("what was written is read back", "[csv]") {
  constexpr std::array<std::string_view, 9> k_pieces = {
      "a", ",", ";", "\"", "\n", "\r", "'", "\xC3\xA9", std::string_view("\0", 1)};
  std::mt19937 random(3);  // NOLINT(cert-msc51-cpp): the same every time
  for (const std::size_t columns : {1, 2, 5}) {
    Cells names;
    for (std::size_t i = 0; i < columns; ++i) {
      names.push_back("c" + std::to_string(i));
    }
    std::vector<Cells> rows(2000, Cells(columns));
    for (auto& row : rows) {
      for (auto& cell : row) {
        for (std::size_t i = random() % 12; i > 0; --i) {
          cell += k_pieces.at(random() % k_pieces.size());
        }
      }
    }
    for (const char delimiter : {',', ';'}) {
      InputSettings settings;
      settings.delimiter = delimiter;
      settings.quote = '"';
      const auto again = read_csv_text(written(names, rows, false, delimiter), settings);
      CHECK(again.bad.empty());
      CHECK((again.cells == rows));
    }
  }
}

}  // namespace
}  // namespace batchllm
