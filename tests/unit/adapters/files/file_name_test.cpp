// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/file_name.h"

#include "adapters/input_format.h"
#include "core/text.h"
#include "tests/support/catch.h"

#include <vector>

using namespace batchllm;
using namespace batchllm::files;
using namespace std::string_literals;

TEST_CASE("a client's file name is made harmless", "[file_name]") {
  struct Case {
    std::string given;
    std::string safe;
  };

  for (const auto& c : std::vector<Case>{
           {"reviews.csv", "reviews.csv"},
           {"Größe 2 (neu).csv", "Größe 2 (neu).csv"},
           {"日本.jsonl", "日本.jsonl"},
           {"../../etc/passwd", "passwd"},
           {"/etc/shadow", "shadow"},
           {"C:\\Users\\me\\data.tsv", "data.tsv"},
           {"a/../b\\..\\c.csv", "c.csv"},
           {"folder/", "input"},
           {"", "input"},
           {".", "input"},
           {"..", "input"},
           {"...", "input"},
           {"-", "input"},
           {"   ", "input"},
           {"--output.csv", "output.csv"},
           {".hidden.csv", "hidden.csv"},
           {" . - x.csv  ", "x.csv"},
           {"a\0b.csv"s, "ab.csv"},
           {"a\r\nX-Evil: 1.csv", "aX-Evil: 1.csv"},
           {"\x1B[31mred.csv", "[31mred.csv"},
           {"\x07\x7F", "input"},
           {"\x01.csv", "csv"},
           {"a\xC2\x9B"
            "b.csv",
            "ab.csv"},
           {"caf\xE9.csv", "caf_.csv"},
           {"half\xE2\x82", "half__"},
           {"\xC0\xAE\xC0\xAE/x", "x"},
           {"cod\xE2\x80\xAEvsc.exe", "codvsc.exe"},
           {"zero\xE2\x80\x8Bwidth.csv", "zerowidth.csv"},
           {"\xEF\xBB\xBFmark.csv", "mark.csv"},
       }) {
    CAPTURE(c.given);
    CHECK(safe_file_name(c.given) == c.safe);
  }
}

TEST_CASE("a long name is cut at a character and keeps its extensions", "[file_name]") {
  const auto check = [](const std::string& given, std::string_view end) {
    const std::string safe = safe_file_name(given);
    CAPTURE(given, safe);
    CHECK(safe.size() <= k_longest_file_name);
    CHECK(safe.size() > k_longest_file_name - 4);
    CHECK(is_utf8(safe));
    CHECK(std::string_view(safe).ends_with(end));
  };
  check(std::string(1000, 'x') + ".csv", "x.csv");
  check(std::string(1000, 'x') + ".csv.gz", "x.csv.gz");
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string name(shift, 'x');
    for (int i = 0; i < 300; ++i) {
      name += "\xF0\x9F\x98\x80";
    }
    check(name + ".jsonl", "\x80.jsonl");
  }
  // What is too long for an extension is none.
  check("a." + std::string(1000, 'x'), "x");
}

TEST_CASE("every name that comes out is safe and stays as it is", "[file_name]") {
  // All names of up to three of these pieces.
  const std::vector<std::string> pieces = {
      "", "a", ".", "-", " ", "/", "\\", "\n", "\xFF", "\xC2\x80", "\xE2\x80\xAE", ".csv", ".gz"};
  for (const auto& a : pieces) {
    for (const auto& b : pieces) {
      for (const auto& c : pieces) {
        const std::string safe = safe_file_name(a + b + c);
        CAPTURE(safe);
        REQUIRE(!safe.empty());
        REQUIRE(safe.find_first_of("/\\\n") == std::string::npos);
        REQUIRE(safe.find_first_of(".- ") != 0);
        REQUIRE(is_utf8(safe));
        REQUIRE(safe_file_name(safe) == safe);
      }
    }
  }
}

TEST_CASE("a suffix goes before the extensions", "[file_name]") {
  CHECK(with_suffix("data.csv", "-2") == "data-2.csv");
  CHECK(with_suffix("data.csv.gz", "-2") == "data-2.csv.gz");
  CHECK(with_suffix("data", "-2") == "data-2");
  CHECK(with_suffix("data.gz", "-2") == "data-2.gz");
  const std::string longest = safe_file_name(std::string(500, 'x') + ".csv");
  const std::string suffixed = with_suffix(longest, "-17");
  CHECK(suffixed.size() == k_longest_file_name);
  CHECK(suffixed.ends_with("x-17.csv"));
  CHECK(format_by_name(suffixed) == InputFormat::csv);
}
