// SPDX-License-Identifier: Apache-2.0
#include "core/reject_log.h"

#include "core/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <filesystem>

using namespace batchllm;

namespace {

BadRow bad_row(std::uint64_t row_index, std::string raw = "a,b\"c") {
  BadRow row;
  row.place = {row_index, row_index + 2, 100, 7, 0};
  row.reason = "too_many_fields";
  row.message = "9 fields, 2 columns";
  row.raw = std::move(raw);
  return row;
}

}  // namespace

TEST_CASE("a reject says where it stood, why, and its bytes", "[reject_log]") {
  CHECK(reject_json(bad_row(4), "in.csv") ==
        R"({"file":"in.csv","row":5,"line":6,"byte":100,"bytes":7,"reason":"too_many_fields",)"
        R"("message":"9 fields, 2 columns","raw":"a,b\"c"})");
  CHECK_THAT(reject_json(bad_row(0, "\xff\xfe"), "in.csv"),
             ContainsSubstring(R"("raw_base64":"//4=")"));
}

TEST_CASE("a file name that is not UTF-8 leaves the line JSON", "[reject_log]") {
  CHECK(is_json(reject_json(bad_row(0), "caf\xe9.csv")));
}

TEST_CASE("no file without rejects", "[reject_log]") {
  const ScratchFolder folder;
  const RejectLog log(folder.path("r.jsonl"), {"in.csv"});
  CHECK(log.count() == 0);
  CHECK_FALSE(std::filesystem::exists(folder.path("r.jsonl")));
}

TEST_CASE("what an earlier run wrote is not written again", "[reject_log]") {
  const ScratchFolder folder;
  {
    RejectLog log(folder.path("r.jsonl"), {"in.csv"});
    log.add(bad_row(1));
    log.add(bad_row(5));
    CHECK(log.count() == 2);
  }
  const std::string before = folder.read("r.jsonl");
  {
    RejectLog log(folder.path("r.jsonl"), {"in.csv"});
    CHECK(log.count() == 2);
    log.add(bad_row(1));
    log.add(bad_row(5));
    CHECK(folder.read("r.jsonl") == before);
    log.add(bad_row(6));
    CHECK(log.count() == 3);
  }
}

TEST_CASE("a line torn anywhere is written anew", "[reject_log]") {
  const ScratchFolder folder;
  {
    RejectLog log(folder.path("r.jsonl"), {"in.csv"});
    log.add(bad_row(1));
    log.add(bad_row(5));
  }
  const std::string whole = folder.read("r.jsonl");
  const std::size_t second = whole.find('\n') + 1;
  for (std::size_t size = second; size <= whole.size(); ++size) {
    folder.write("r.jsonl", whole.substr(0, size));
    RejectLog log(folder.path("r.jsonl"), {"in.csv"});
    log.add(bad_row(1));
    log.add(bad_row(5));
    CAPTURE(size);
    CHECK(folder.read("r.jsonl") == whole);
  }
}
