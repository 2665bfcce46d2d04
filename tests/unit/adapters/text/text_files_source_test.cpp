// SPDX-License-Identifier: Apache-2.0
#include "adapters/text/text_files_source.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/json_rows.h"
#include "tests/support/scratch_folder.h"

using namespace batchllm;

TEST_CASE("each file is a row with its path, name and text", "[text_files]") {
  const ScratchFolder folder;
  const std::string a = folder.write("sub/a.txt", "first\n");
  const std::string b = folder.write("b.md", "");
  const auto source = make_text_files_source({a, b}, {});
  CHECK(source->columns() == std::vector<std::string>{"path", "name", "text"});
  source->select({"text", "name"});
  const ReadRows got = read_rows(*source);
  CHECK(got.text() == "#0@1 first\n a.txt\n#1@1  b.md\n");
  CHECK(got.places[1].input == 1);

  source->seek(got.places[1]);
  CHECK(read_rows(*source).text() == "#1@1  b.md\n");
  CHECK_THROWS_AS(source->select({"size"}), Error);
}

TEST_CASE("a file that cannot be a row is a bad row", "[text_files]") {
  const ScratchFolder folder;
  InputSettings settings;
  settings.max_row_bytes = 100;
  const std::vector<std::string> paths = {folder.write("long.txt", std::string(200'000, 'x')),
                                          folder.write("latin.txt", "caf\xE9"),
                                          folder.path("gone.txt"),
                                          folder.write("good.txt", "fine")};
  const ReadRows got = read_rows(*make_text_files_source(paths, settings));
  REQUIRE(got.bad_rows.size() == 3);
  CHECK(got.bad_rows[0].reason == "too_long");
  CHECK(got.bad_rows[1].reason == "not_utf8");
  CHECK(got.bad_rows[2].reason == "unreadable");
  CHECK(got.rows.size() == 1);
  CHECK(got.places[0].row_index == 3);
}
