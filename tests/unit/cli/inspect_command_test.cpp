// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect_command.h"

#include "core/json_text.h"
#include "core/text.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

using namespace batchllm;

namespace {

InputProfile profile_of(const std::vector<std::string>& paths, const InputSettings& settings = {}) {
  return profile_input(*open_inputs(paths, settings), 0);
}

}  // namespace

TEST_CASE("columns are counted and measured in characters", "[inspect]") {
  const ScratchFolder folder;
  const std::string path = folder.write("a.jsonl",
                                        "{\"id\":1,\"t\":\"h\xC3\xA9\"}\n"
                                        "{\"id\":2,\"t\":\"\"}\n"
                                        "{\"id\":3,\"t\":null}\n"
                                        "{\"id\":3,\"t\":\"longer\"}\n"
                                        "oops\n");
  const InputProfile profile = profile_of({path});
  CHECK(profile.rows == 4);
  CHECK(profile.bad_row_count == 1);
  REQUIRE(profile.columns.size() == 2);
  const ColumnProfile& id = profile.columns[0];
  CHECK(id.filled == 4);
  CHECK(id.distinct.size() == 3);
  CHECK(id.json == 4);
  const ColumnProfile& text = profile.columns[1];
  CHECK(text.filled == 2);
  CHECK(text.empty == 1);
  CHECK(text.null == 1);
  CHECK(text.shortest == 2);
  CHECK(text.longest == 6);
  CHECK(text.average() == 4.0);
  CHECK(text.example == "h\xC3\xA9");
}

TEST_CASE("the text form is narrow, safe and shows bad rows with their place", "[inspect]") {
  const ScratchFolder folder;
  std::string rows = "id,a rather long column name that goes on and on,body\n";
  for (int i = 0; i < 1500; ++i) {
    rows += std::to_string(i) + ",x,\"" + std::string(150, 'y') + std::to_string(i) + "\x1b[2J\"\n";
  }
  rows += "1,2,3,4\n";
  const std::string path = folder.write("t.csv", rows);
  const InputProfile profile = profile_of({path});
  const std::string text = inspect_text(profile, "batchllm run …");
  CHECK(text.find('\x1b') == std::string::npos);
  for (const auto& line : split(text, '\n')) {
    CAPTURE(line);
    CHECK(character_count(line) <= 100);
  }
  CHECK_THAT(text, ContainsSubstring("1,500 rows, 3 columns"));
  CHECK_THAT(text, ContainsSubstring(">1000"));
  CHECK_THAT(text, ContainsSubstring("row 1,501, line 1502"));
  CHECK_THAT(text, ContainsSubstring("too_many_fields"));
  CHECK_THAT(text, ContainsSubstring("Try:\n  batchllm run"));
}

TEST_CASE("the JSON form is one object with a schema", "[inspect]") {
  const ScratchFolder folder;
  const InputProfile profile = profile_of({folder.write("a.csv", "id,text\n1,x\n2,\n")});
  const std::string json = inspect_json(profile, "batchllm run a.csv");
  CHECK(is_json(json));
  const auto at = [&](const char* path) {
    return find_in_json(json, path).value_or(JsonValue{}).text;
  };
  CHECK(at(".schema") == "batchllm.inspect/1");
  CHECK(at(".rows") == "2");
  CHECK(at(".columns[1].name") == "text");
  CHECK(at(".columns[1].empty") == "1");
  CHECK(at(".inputs[0].facts.format") == "csv");
}

TEST_CASE("the example command asks about the column with the most text", "[inspect]") {
  const ScratchFolder folder;
  folder.write(
      "my file.csv",
      "id,url,constant,body\n1,http://example.com/a/very/long/address/indeed,always the same,some "
      "text\n"
      "2,http://example.com/another/very/long/address/indeed,always the same,some more text\n");
  InputSettings settings;
  settings.encoding = "latin1";
  CHECK(example_run_command({folder.path("my file.csv")}, settings) ==
        "batchllm run '" + folder.path("my file.csv") +
            "' --encoding latin1 --model openai/gpt-4o-mini --prompt \"Summarize: {body}\" "
            "--output-column "
            "summary");
}
