// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_row_sink.h"

#include "tests/support/catch.h"
#include "tests/support/json_rows.h"
#include "tests/support/memory_byte_sink.h"

using namespace batchllm;

namespace {

struct Run {
  JsonLayout layout = JsonLayout::lines;
  bool keep_record = true;
  std::vector<std::string> columns;  // empty: all
  std::vector<std::string> new_columns = {"output"};
};

// Reads `input` and writes it again with "ok" as the new cells.
std::string rewritten(const std::string& input, const Run& run) {
  std::string written;
  const auto sink =
      make_json_row_sink(std::make_unique<MemoryByteSink>(written), run.layout, run.keep_record);
  const auto source = json_source(input);
  const auto columns = run.columns.empty() ? source->columns() : run.columns;
  source->select(columns);
  sink->begin(columns, run.new_columns);
  const std::vector<NewCell> cells(run.new_columns.size(), NewCell{"ok"});
  RowBatch batch;
  while (source->next_batch(batch)) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      sink->write(batch, row, cells);
    }
  }
  sink->finish();
  return written;
}

}  // namespace

TEST_CASE("a kept record is copied with the new members behind it", "[json]") {
  CHECK(rewritten("{\"n\": 1.50, \"z\" : null}\n{}\n", {}) ==
        "{\"n\": 1.50, \"z\" : null,\"output\":\"ok\"}\n{\"output\":\"ok\"}\n");
}

TEST_CASE("a member that a new column replaces is left out", "[json]") {
  CHECK(rewritten("{\"a\":1,\"output\":\"old\",\"b\":\"x\\\"y\"}\n", {}) ==
        "{\"a\":1,\"b\":\"x\\\"y\",\"output\":\"ok\"}\n");
  CHECK(rewritten("{\"out\\u0070ut\":\"old\"}\n", {}) == "{\"output\":\"ok\"}\n");
  Run cells;
  cells.keep_record = false;
  CHECK(rewritten("{\"a\":1,\"output\":\"old\"}\n", cells) == "{\"a\":1,\"output\":\"ok\"}\n");
}

TEST_CASE("a record over several lines becomes one line", "[json]") {
  CHECK(rewritten("{\n  \"a\": [\n 1, 2\n ],\n \"s\": \"x  y\"\n}\n", {}) ==
        "{\"a\":[1,2],\"s\":\"x  y\",\"output\":\"ok\"}\n");
}

TEST_CASE("members are made from cells with their kinds", "[json]") {
  Run run;
  run.keep_record = false;
  run.columns = {"s", "missing", "n"};
  CHECK(rewritten("{\"n\":{\"k\": 1.0},\"s\":\"a\\n\\\"b\"}\n", run) ==
        "{\"s\":\"a\\n\\\"b\",\"missing\":null,\"n\":{\"k\": 1.0},\"output\":\"ok\"}\n");
}

TEST_CASE("a row that was no object becomes one", "[json]") {
  CHECK(rewritten("[1, \"x\"]", {}) ==
        "{\"value\":1,\"output\":\"ok\"}\n{\"value\":\"x\",\"output\":\"ok\"}\n");
}

TEST_CASE("an array of rows is a valid document of any length", "[json]") {
  Run run;
  run.layout = JsonLayout::array;
  CHECK(rewritten("", run) == "[]\n");
  CHECK(rewritten("{\"a\":1}\n", run) == "[\n{\"a\":1,\"output\":\"ok\"}\n]\n");
  CHECK(rewritten("{\"a\":1}\n{\"a\":2}\n", run) ==
        "[\n{\"a\":1,\"output\":\"ok\"},\n{\"a\":2,\"output\":\"ok\"}\n]\n");
}

TEST_CASE("a new cell can be JSON or nothing", "[json]") {
  std::string written;
  const auto sink =
      make_json_row_sink(std::make_unique<MemoryByteSink>(written), JsonLayout::lines, false);
  sink->begin({}, {"a", "b", "c"});
  RowBatch batch;
  batch.places.resize(1);
  sink->write(
      batch, 0, std::vector<NewCell>{{"{\"x\":1}", CellKind::json}, {std::string_view{}}, {"t"}});
  sink->finish();
  CHECK(written == "{\"a\":{\"x\":1},\"b\":null,\"c\":\"t\"}\n");
}
