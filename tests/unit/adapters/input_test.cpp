// SPDX-License-Identifier: Apache-2.0
#include "adapters/input.h"

#include "adapters/input_format.h"
#include "adapters/stream/byte_sink.h"
#include "adapters/stream/raw_bytes.h"
#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/json_rows.h"
#include "tests/support/scratch_folder.h"

#include <unistd.h>

#include <map>

using namespace batchllm;

namespace {

std::string rows_of(const std::vector<std::string>& paths, const InputSettings& settings = {}) {
  return read_rows(*open_inputs(paths, settings)).text();
}

template <typename Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error was thrown");
  return {ErrorCode::internal, ""};
}

}  // namespace

TEST_CASE("the format comes from the name unless the content is clearly another", "[input]") {
  struct Case {
    std::string name;
    std::string text;
    std::string rows;
  };

  const ScratchFolder folder;
  const std::string csv = "a,b\n1,x\n";
  const std::string from_csv = "#0@2 1 x\n";
  const std::string jsonl = "{\"a\":1,\"b\":\"x\"}\n";
  const std::string from_json = "#0@1 <1> x\n";
  for (const auto& c : std::vector<Case>{
           {"a.csv", csv, from_csv},
           {"a.CSV", csv, from_csv},
           {"a.tsv", "a\tb\n1\tx\n", from_csv},
           {"a.jsonl", jsonl, from_json},
           {"a.json", "[" + jsonl + "]", from_json},
           {"wrong.csv", jsonl, from_json},
           {"wrong.jsonl", csv, from_csv},
           {"plain", csv, from_csv},
           {"plain2", jsonl, from_json},
           {"export.dat", jsonl, from_json},
       }) {
    CAPTURE(c.name);
    CHECK(rows_of({folder.write(c.name, c.text)}) == c.rows);
  }
}

TEST_CASE("names of compressed files keep their format", "[input]") {
  CHECK(format_by_name("x/a.csv.gz") == InputFormat::csv);
  CHECK(format_by_name("a.b/data.jsonl.zst") == InputFormat::jsonl);
  CHECK(format_by_name("notes.md") == InputFormat::text);
  CHECK(format_by_name(".csv") == InputFormat::automatic);
  CHECK(format_by_name("data.gz") == InputFormat::automatic);

  const ScratchFolder folder;
  const auto sink = open_file_sink(folder.path("a.csv.gz"), Compression::gzip);
  sink->write("a,b\n1,x\n");
  sink->finish();
  CHECK(rows_of({folder.path("a.csv.gz")}) == "#0@2 1 x\n");
  const auto facts = open_inputs({folder.path("a.csv.gz")}, {})->describe().at(0).facts;
  CHECK(std::count(facts.begin(),
                   facts.end(),
                   std::pair<std::string, std::string>("compression", "gzip")) == 1);
}

TEST_CASE("several files are one input with rows numbered through", "[input]") {
  const ScratchFolder folder;
  const std::vector<std::string> paths = {folder.write("1.csv", "a,b\n1,x\n2,y\n"),
                                          folder.write("2.csv", "b,a\nz,3\n"),
                                          folder.write("3.csv", "a,b\n"),
                                          folder.write("4.tsv", "a\tb\n4\tw\n")};
  const auto source =
      open_inputs(paths, {}, [](const std::string& path, const std::string& encoding) {
        return open_byte_stream(with_digest(open_raw_file(path)), encoding);
      });
  const ReadRows got = read_rows(*source);
  CHECK(got.text() == "#0@2 1 x\n#1@3 2 y\n#2@2 3 z\n#3@2 4 w\n");
  CHECK(got.places[2].input == 1);
  CHECK(got.places[3].input == 3);
  CHECK(source->describe().size() == 4);
  for (std::size_t input = 0; input < paths.size(); ++input) {
    CHECK(source->prefix_digest(input).has_value());
  }
  CHECK(source->fraction_read() == 1.0);

  // From any row on, backwards as well.
  for (std::size_t row = got.rows.size(); row-- > 0;) {
    source->seek(got.places[row]);
    CHECK(read_rows(*source).rows ==
          std::vector<std::string>(got.rows.begin() + static_cast<std::ptrdiff_t>(row),
                                   got.rows.end()));
  }
  source->seek(got.places[0]);
  source->select({"b"});
  CHECK(read_rows(*source).text() == "#0@2 x\n#1@3 y\n#2@2 z\n#3@2 w\n");
}

TEST_CASE("JSON files put their columns together", "[input]") {
  const ScratchFolder folder;
  const std::vector<std::string> paths = {folder.write("1.jsonl", "{\"a\":1}\nbad\n"),
                                          folder.write("2.json", "[{\"b\":2,\"a\":3}]")};
  const auto source = open_inputs(paths, {});
  CHECK(source->columns() == std::vector<std::string>{"a", "b"});
  CHECK(source->is_open_ended());
  const ReadRows got = read_rows(*source);
  CHECK(got.text() == "#0@1 <1> -\n#2@1 <3> <2>\n");
  REQUIRE(got.bad_rows.size() == 1);
  CHECK(got.bad_rows[0].place.row_index == 1);
}

TEST_CASE("inputs that do not go together are refused by name", "[input]") {
  const ScratchFolder folder;
  const std::string a = folder.write("a.csv", "id,text\n1,x\n");
  const std::string b = folder.write("b.csv", "id,body\n1,x\n");
  const std::string c = folder.write("c.jsonl", "{\"id\":1}\n");
  const Error columns = error_of([&] { open_inputs({a, b}, {}); });
  CHECK(columns.code() == ErrorCode::input_malformed);
  CHECK_THAT(columns.message(), ContainsSubstring("b.csv"));
  CHECK_THAT(columns.message(), ContainsSubstring("it lacks text"));
  CHECK_THAT(columns.message(), ContainsSubstring("it has body besides"));
  const Error kinds = error_of([&] { open_inputs({a, c}, {}); });
  CHECK(kinds.code() == ErrorCode::usage);
  CHECK_THAT(kinds.message(), ContainsSubstring("a.csv is csv"));
  CHECK(error_of([&] { open_inputs({}, {}); }).code() == ErrorCode::usage);
  CHECK(error_of([&] { open_inputs({folder.path("none.csv")}, {}); }).code() ==
        ErrorCode::input_missing);
}

TEST_CASE("a folder becomes its text files, or those of the format", "[input]") {
  const ScratchFolder folder;
  for (const char* name :
       {"b.txt", "a.md", "sub/c.txt", ".hidden", ".git/config", "rows.csv", "x.jsonl"}) {
    folder.write(name, "{}");
  }
  REQUIRE(::symlink(folder.path().c_str(), folder.path("sub/loop").c_str()) == 0);
  const auto names = [&](const InputSettings& settings) {
    std::string all;
    for (const auto& path : expand_inputs({folder.path()}, settings)) {
      all += path.substr(folder.path().size() + 1) + " ";
    }
    return all;
  };
  InputSettings settings;
  CHECK(names(settings) == "a.md b.txt sub/c.txt ");
  settings.format = InputFormat::json;
  CHECK(names(settings) == "x.jsonl ");
  settings.format = InputFormat::csv;
  CHECK(names(settings) == "rows.csv ");
  settings.format = InputFormat::text;
  CHECK(names(settings) == "a.md b.txt rows.csv sub/c.txt x.jsonl ");

  CHECK(expand_inputs({folder.path("*.txt"), "-"}, {}) ==
        std::vector<std::string>{folder.path("b.txt"), "-"});
  CHECK(error_of([&] { expand_inputs({folder.path("*.xyz")}, {}); }).code() ==
        ErrorCode::input_missing);
  CHECK(error_of([&] { expand_inputs({folder.path("b.tx")}, {}); }).code() ==
        ErrorCode::input_missing);
}

TEST_CASE("text files are rows of path, name and text", "[input]") {
  const ScratchFolder folder;
  const std::vector<std::string> paths = {folder.write("a.txt", "one"),
                                          folder.write("LICENSE", "two")};
  const auto source = open_inputs(paths, {});
  source->select({"name", "text"});
  CHECK(read_rows(*source).text() == "#0@1 a.txt one\n#1@1 LICENSE two\n");
  CHECK(source->describe().size() == 1);
  CHECK(rows_of({folder.write("n.md", "{}")}).starts_with("#0@1 "));
}

TEST_CASE("a stream of one's own replaces the opening of files", "[input]") {
  const auto source = open_inputs({"-"}, {}, [](const std::string&, const std::string&) {
    return std::make_unique<MemoryByteStream>("a,b\n1,x\n", 1);
  });
  CHECK(read_rows(*source).text() == "#0@2 1 x\n");
}
