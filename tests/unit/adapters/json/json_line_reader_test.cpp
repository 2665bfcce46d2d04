// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_line_reader.h"

#include "tests/support/catch.h"
#include "tests/support/json_line_check.h"
#include "tests/support/json_rows.h"
#include "tests/support/suite_files.h"

#include <random>

using namespace batchllm;

namespace {

const std::vector<std::string> k_columns = {"a", "name", "b\n", "b", "a", "none"};

const std::vector<std::string> k_good_lines = {
    R"({"a":1,"name":"x","b":null})",
    R"( {"a" : -0.5e+7 , "name" : "two\nlines \"\\\" \u00e9\ud83d\ude00\/" , "b" : [ ] } )",
    R"({"a":{"b":[1,{"c":[]},"\t"],"d":{}},"b":"","b\n":true,"b":"second"})",
    R"({})",
    R"({"none":false,"a":[[[[]]],[{}]],"name":"é电池","x":0,"y":1e999,"z":123456789012345678901})",
    "{\"a\":\"tab\",\"b\\u000a\":\"a name with an escape\"}\r",
    R"({"a":"\\","b":"\\\\\\","name":"\\\""})",
};

std::string all_good_lines() {
  std::string text;
  for (const auto& line : k_good_lines) {
    text += line + "\n";
  }
  return text;
}

// A text with a few bytes changed, taken out, doubled or brought in.
std::string mutated(std::string text, std::mt19937& random) {
  constexpr std::string_view k_bytes = "{}[]:,\"\\ \t\r\n\f0123456789-+.eEtrufalsn/x\x01\x80\xC3";
  const std::size_t changes = 1 + random() % 3;
  for (std::size_t i = 0; i < changes && !text.empty(); ++i) {
    const std::size_t at = random() % text.size();
    const char byte = k_bytes[random() % k_bytes.size()];
    switch (random() % 4) {
      case 0:
        text[at] = byte;
        break;
      case 1:
        text.erase(at, 1 + random() % 3);
        break;
      case 2:
        text.insert(at, text.substr(at, random() % 8));
        break;
      default:
        text.insert(at, 1, byte);
    }
  }
  return text;
}

std::vector<std::string> reasons(const ReadRows& rows) {
  std::vector<std::string> all;
  for (const auto& bad : rows.bad_rows) {
    all.push_back(std::to_string(bad.place.row_index) + "@" + std::to_string(bad.place.line) + " " +
                  std::to_string(bad.place.byte_offset) + " " + bad.reason + " " + bad.message +
                  " " + bad.raw);
  }
  return all;
}

}  // namespace

TEST_CASE("many lines at once give what each line gives by itself", "[json][lines]") {
  CHECK(line_reader_mistake(all_good_lines(), k_columns, true).empty());
  CHECK(line_reader_mistake("\n \r\n" + all_good_lines() + "\n\n", k_columns, true).empty());
  CHECK(line_reader_mistake(all_good_lines(), {}, true).empty());
}

TEST_CASE("changed lines are rows many at once only if they are rows", "[json][lines]") {
  std::mt19937 random(20260711);
  for (int round = 0; round < 20000; ++round) {
    const std::string& line = k_good_lines[random() % k_good_lines.size()];
    const std::string text =
        k_good_lines[2] + "\n" + mutated(line, random) + "\n" + k_good_lines[0] + "\n";
    const std::string mistake = line_reader_mistake(text, k_columns, true);
    if (!mistake.empty()) {
      FAIL(mistake);
    }
  }
}

TEST_CASE("each file of the suites is read alike as many lines", "[json][lines][suite]") {
  for (const char* suite : {"JSONTestSuite", "duckdb-json", "simdjson-examples"}) {
    for (const auto& path : files_below(suites_folder() / suite)) {
      CAPTURE(path.string());
      const std::string text = file_text(path).substr(0, 60'000);
      CHECK(line_reader_mistake(text, k_columns, false).empty());
      CHECK(
          line_reader_mistake(all_good_lines() + "{\"a\":" + text + "}", k_columns, false).empty());
    }
  }
}

TEST_CASE("where a stretch of lines ends changes nothing", "[json][lines]") {
  std::mt19937 random(711);
  InputSettings settings;
  settings.format = InputFormat::jsonl;
  for (int round = 0; round < 20; ++round) {
    std::string text;
    while (text.size() < 150'000) {
      const std::string& line = k_good_lines[random() % k_good_lines.size()];
      text += random() % 100 == 0 ? mutated(line, random) : line;
      text += random() % 20 == 0 ? "\r\n\n" : "\n";
    }
    const ReadRows whole = read_rows(*json_source(text, settings));
    for (const std::size_t piece : {100, 999, 65'536}) {  // the smallest: a line or none at once
      const ReadRows pieces = read_rows(*json_source(text, settings, piece));
      CHECK(pieces.records == whole.records);
      CHECK(pieces.places.size() == whole.places.size());
      CHECK(reasons(pieces) == reasons(whole));
    }
  }
}
