// SPDX-License-Identifier: Apache-2.0
// JSONTestSuite's parsing tests through the reader: what must be accepted, what must be refused,
// and the rest, which may be either but must not crash.
#include "adapters/json/json_check.h"
#include "tests/support/catch.h"
#include "tests/support/json_rows.h"

#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace batchllm;

namespace {

struct SuiteFile {
  std::string name;
  std::string text;
};

std::vector<SuiteFile> suite_files() {
  namespace fs = std::filesystem;
  std::vector<SuiteFile> files;
  const fs::path folder = fs::path(BATCHLLM_SUITES) / "JSONTestSuite" / "test_parsing";
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    std::ifstream file(entry.path(), std::ios::binary);
    files.push_back({entry.path().filename().string(), {std::istreambuf_iterator<char>(file), {}}});
  }
  if (files.empty()) {
    WARN("JSONTestSuite is not in " << folder.string() << ": nothing was checked");
  }
  return files;
}

bool is_refused(const ReadRows& got) {
  // Nothing at all is not a valid text either, but an input without rows is no mistake of a row.
  return (got.rows.empty() && got.bad_rows.empty()) ||
         std::any_of(got.bad_rows.begin(), got.bad_rows.end(), [](const BadRow& bad) {
           return bad.reason != "not_object";
         });
}

}  // namespace

TEST_CASE("the reader takes and refuses what JSONTestSuite says", "[json][suite]") {
  for (const auto& file : suite_files()) {
    CAPTURE(file.name);
    const ReadRows got = read_rows(*json_source(file.text));
    if (file.name.starts_with("y_") && !got.rows.empty()) {
      CHECK_FALSE(is_refused(got));
    }
    if (file.name.starts_with("y_")) {
      CHECK(std::all_of(got.bad_rows.begin(), got.bad_rows.end(), [](const BadRow& bad) {
        return bad.reason == "not_object";
      }));
    }
    if (file.name.starts_with("n_")) {
      CHECK(is_refused(got));
    }
    // Piece by piece it is the same.
    const ReadRows again = read_rows(*json_source(file.text, {}, 3));
    CHECK(again.text() == got.text());
    CHECK(again.bad_rows.size() == got.bad_rows.size());
  }
}

TEST_CASE("the patient check and the fast parser agree on JSONTestSuite", "[json][suite]") {
  simdjson::dom::parser parser;
  for (const auto& file : suite_files()) {
    CAPTURE(file.name);
    const auto problem = json::check_json(file.text);
    if (file.name.starts_with("y_")) {
      CHECK_FALSE(problem.has_value());
    }
    if (file.name.starts_with("n_")) {
      CHECK(problem.has_value());
    }
    simdjson::dom::element value;
    if (parser.parse(file.text).get(value) == simdjson::SUCCESS) {
      CHECK_FALSE(problem.has_value());
    }
  }
}
