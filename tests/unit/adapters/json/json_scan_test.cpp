// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_scan.h"

#include "adapters/json/json_members.h"
#include "tests/support/catch.h"

#include <random>
#include <string>

using namespace batchllm::json;

namespace {

std::string random_text(std::mt19937& random, std::size_t length) {
  constexpr std::string_view k_alphabet = "{}[]\"\"\\\\\n,: ae\xC3\xA9";
  std::string text;
  while (text.size() < length) {
    text += k_alphabet[random() % k_alphabet.size()];
  }
  return text;
}

}  // namespace

TEST_CASE("the fast bracket scan agrees with the plain one on any bytes in any pieces", "[json]") {
  std::mt19937 random(20261121);
  for (int round = 0; round < 3000; ++round) {
    const std::string text = "{" + random_text(random, random() % 400);
    BracketScan fast;
    BracketScan plain;
    const std::string_view all(text);
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t piece = 1 + random() % (round % 2 == 0 ? 200 : 70);
      const std::string_view part = all.substr(at, piece);
      const auto fast_end = scan_brackets(part, fast);
      const auto plain_end = scan_brackets_scalar(part, plain);
      CAPTURE(text, at, piece);
      REQUIRE(fast_end == plain_end);
      REQUIRE(fast == plain);
      if (fast_end) {
        break;
      }
      at += part.size();
    }
  }
}

TEST_CASE("brackets in strings do not count, and newlines do", "[json]") {
  struct Case {
    std::string text;
    std::size_t end;
    std::uint64_t newlines;
  };

  const std::string pad(100, ' ');
  for (const auto& c : std::vector<Case>{
           {R"({"a":"}"})", 9, 0},
           {R"({"a":"\"}"} x)", 11, 0},
           {R"({"a":"\\"}})", 10, 0},
           {"{\n\"a\":[1,\n{}]}\n", 14, 2},
           {"{" + pad + "\"]\"" + pad + "\n}", 206, 1},
       }) {
    CAPTURE(c.text);
    BracketScan scan;
    CHECK(scan_brackets(c.text, scan) == c.end);
    CHECK(scan.newlines == c.newlines);
  }
}

TEST_CASE("members are walked as they are spelled", "[json]") {
  MemberWalk walk(
      R"( { "a" : 1.50 , "b\u0041":"x\"y" ,"c":{"d":[1,2]}, "e":null,"f":true,"":[] } )");
  Member member;
  std::string seen;
  while (walk.next(member)) {
    seen += std::string(member.key) + "=" + std::string(member.value) + ";";
  }
  CHECK(seen == R"(a=1.50;b\u0041=x\"y;c={"d":[1,2]};e=null;f=true;=[];)");
}

TEST_CASE("escapes become their characters", "[json]") {
  std::string out;
  append_unescaped(out, R"(\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00 plain)");
  CHECK(out == "\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 plain");
}
