// SPDX-License-Identifier: Apache-2.0
#include "core/code_points.h"

#include "core/text.h"
#include "tests/support/catch.h"

#include <string>

using namespace batchllm;

TEST_CASE("every code point is read from both ends as it was written", "[code_points]") {
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (value >= 0xD800 && value <= 0xDFFF) {
      continue;
    }
    std::string text;
    append_code_point(text, value);
    const CodePoint first = first_code_point(text);
    const CodePoint last = last_code_point("a" + text);
    if (first.value != value || first.bytes != text.size() || last.value != value ||
        last.bytes != text.size() || !is_utf8(text)) {
      CAPTURE(static_cast<std::uint32_t>(value));
      FAIL();
    }
  }
  CHECK(first_code_point("").bytes == 0);
  CHECK(last_code_point("").bytes == 0);
}

TEST_CASE("bytes that are no character are one stray byte each", "[code_points]") {
  for (const char* text : {"\xff",
                           "\x80",
                           "\xc0\x80",
                           "\xc3",
                           "\xe2\x82",
                           "\xed\xa0\x80",
                           "\xf4\x90\x80\x80",
                           "\xf8\x88\x80\x80\x80",
                           "\xe0\x80\x80"}) {
    CAPTURE(text);
    CHECK(first_code_point(text).value == 0xFFFD);
    CHECK(first_code_point(text).bytes == 1);
    CHECK(last_code_point(text).value == 0xFFFD);
    CHECK(last_code_point(text).bytes == 1);
  }
}

TEST_CASE("letters of Latin, Greek and Cyrillic have one case to compare", "[code_points]") {
  const std::u32string upper = U"AZÄÉÞŁŐŽŸΆΈΐΩΏАЯЁЇѠҐḀỸ";
  const std::u32string lower = U"azäéþłőžÿάέΐωώаяёїѡґḁỹ";
  REQUIRE(upper.size() == lower.size());
  for (std::size_t i = 0; i < upper.size(); ++i) {
    CAPTURE(i);
    CHECK(folded_case(upper[i]) == lower[i]);
    CHECK(folded_case(lower[i]) == lower[i]);
  }
  CHECK(folded_case(U'ς') == U'σ');
  for (const char32_t same : U"×ß1中") {
    CHECK(folded_case(same) == same);
  }
}

TEST_CASE("white space of every kind goes off both ends", "[code_points]") {
  CHECK(trim_white_space(" \u00a0\u3000\ufeffa b\u2003\u200b\n") == "a b");
  CHECK(trim_white_space("\u00a0 ").empty());
  CHECK(trim_white_space("\xff") == "\xff");
}
