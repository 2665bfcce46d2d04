// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include "tests/support/catch.h"

using namespace batchllm;

TEST_CASE("the nearest name is found for a typing mistake and for nothing else", "[text]") {
  const std::vector<std::string> names = {"text", "status", "created_at", "First Name"};
  CHECK(nearest_name("txt", names) == "text");
  CHECK(nearest_name("Status", names) == "status");
  CHECK(nearest_name("craeted_at", names) == "created_at");
  CHECK(nearest_name("first name", names) == "First Name");
  CHECK_FALSE(nearest_name("banana", names).has_value());
  CHECK_FALSE(nearest_name("", names).has_value());
}

TEST_CASE("characters are counted and cut at any length", "[text]") {
  // Every number of bytes before a character of every width, around the blocks of eight.
  for (const std::string character : {"a", "\u00e9", "\u6f22", "\U0001F600"}) {
    std::string text;
    for (std::size_t count = 0; count <= 40; ++count) {
      CAPTURE(character, count);
      CHECK(character_count(text) == count);
      for (std::size_t kept = 0; kept <= count; ++kept) {
        CHECK(character_prefix(text + "x", kept) == text.substr(0, kept * character.size()));
      }
      CHECK(character_prefix(text, count + 1) == text);
      text += character;
    }
  }
}

TEST_CASE("one line of untrusted text cannot move the cursor", "[text]") {
  CHECK(one_line("a\nb\x1b[2Jc", 80) == "a b [2Jc");
  CHECK(one_line("héllo wörld", 6) == "héllo…");
  CHECK(one_line("\xC2\x9B"
                 "31m",
                 80) == " 31m");
}

TEST_CASE("sizes and durations are read with their units", "[text]") {
  CHECK(parse_bytes("16MiB") == 16U << 20U);
  CHECK(parse_bytes("64kb") == 65536U);
  CHECK(parse_bytes("7") == 7U);
  CHECK_FALSE(parse_bytes("7 apples").has_value());
  CHECK_FALSE(parse_bytes("-1").has_value());
  CHECK(parse_duration_ms("250ms") == 250);
  CHECK(parse_duration_ms("1.5m") == 90'000);
  CHECK(parse_duration_ms("30") == 30'000);
  CHECK_FALSE(parse_duration_ms("soon").has_value());
}

TEST_CASE("numbers are written for people", "[text]") {
  CHECK(with_thousands(1234567) == "1,234,567");
  CHECK(with_thousands(12) == "12");
  CHECK(duration_text(83.2) == "1m23s");
  CHECK(duration_text(4000) == "1h06m");
  CHECK(bytes_text(1536) == "1.5 KB");
  CHECK(usd_text(1'234'567) == "$1.2346");
  CHECK(usd_text(100) == "$0.0001");
  CHECK(usd_text(99) == "$0.000099");
  CHECK(usd_text(0) == "$0.0000");
  CHECK(name_list({"a", "b", "c"}) == "a, b and c");
}
