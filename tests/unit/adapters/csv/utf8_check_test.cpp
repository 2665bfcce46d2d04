// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/utf8_check.h"

#include "core/text.h"
#include "tests/support/catch.h"

#include <array>
#include <random>
#include <string>

namespace batchllm {
namespace {

TEST_CASE("the block check says the same as the plain one", "[csv]") {
  // Every kind of good and bad sequence, at every place of a chunk.
  constexpr std::array<std::string_view, 22> k_sequences = {"\xC3\xA9",
                                                            "\xE6\x95\xB0",
                                                            "\xE0\xA4\x85",
                                                            "\xED\x95\x9C",
                                                            "\xF0\x9F\x98\x80",
                                                            "\xF4\x8F\xBF\xBF",
                                                            "\x80",
                                                            "\xBF\xBF",
                                                            "\xC3",
                                                            "\xC0\x80",
                                                            "\xC1\xBF",
                                                            "\xE0\x80\x80",
                                                            "\xE0\x9F\xBF",
                                                            "\xED\xA0\x80",
                                                            "\xF0\x80\x80\x80",
                                                            "\xF4\x90\x80\x80",
                                                            "\xF5\x80\x80\x80",
                                                            "\xFF",
                                                            "\xE6\x95",
                                                            "\xF0\x9F\x98",
                                                            "\xC3\xA9\xA9",
                                                            "\xE6\x95\xB0\xB0"};
  for (const auto sequence : k_sequences) {
    for (std::size_t before = 0; before < 140; ++before) {
      for (const std::size_t after : {0, 1, 3, 63, 64, 90}) {
        const std::string text =
            std::string(before, 'x') + std::string(sequence) + std::string(after, 'y');
        if (is_utf8_block(text) != is_utf8(text)) {
          CAPTURE(before, after, text);
          FAIL("the checks disagree");
        }
      }
    }
  }
}

TEST_CASE("the block check agrees on random bytes", "[csv]") {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same every time
  constexpr std::array<std::string_view, 8> k_good = {"a",
                                                      "b",
                                                      " ",
                                                      "\xC3\xA9",
                                                      "\xE6\x95\xB0",
                                                      "\xF0\x9F\x98\x80",
                                                      "\xE0\xA4\x85",
                                                      "\xED\x95\x9C"};
  std::size_t good = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const std::size_t kinds = 3 + random() % 6;
    while (text.size() < 200) {
      text += k_good.at(random() % kinds);
    }
    if (round % 2 == 0) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    text.resize(random() % text.size());
    REQUIRE(is_utf8_block(text) == is_utf8(text));
    good += is_utf8(text) ? 1 : 0;
  }
  CHECK(good > 1000);
}

}  // namespace
}  // namespace batchllm
