// SPDX-License-Identifier: Apache-2.0
#include "core/answer_thoughts.h"

#include "tests/support/catch.h"

#include <string>
#include <string_view>

using namespace batchllm;

TEST_CASE("what a model thought aloud is taken off its answer", "[answer]") {
  struct Case {
    std::string_view text;
    std::string_view thoughts;
    std::string_view answer;
  };

  const auto& c = GENERATE(values<Case>({
      {"bug\n", "", "bug\n"},
      {"", "", ""},
      {"<think>hm</think>bug", "hm", "bug"},
      {"\n <think>\nhm\n</think>\n\nbug\n", "hm", "bug"},
      {"<thinking>a <think>b</think></thinking> bug", "a <think>b</think>", "bug"},
      {"<think>one</think>\nx\n<think>two</think>\ny", "one\n\ntwo", "x\n\ny"},
      {"<think></think>\n\nbug", "", "bug"},
      // cut off while thinking: there is no answer
      {"<think>so the label must be", "so the label must be", ""},
      {"<think>a</think><think>b", "a\n\nb", ""},
      // the opening tag stood in the prompt
      {"so it is a bug\n</think>\n\nbug", "so it is a bug", "bug"},
      {"<think> a <think> b </think> c </think>\nbug", "a <think> b\n\nc", "bug"},
      // tags that the answer talks about
      {"Use the <think> tag", "", "Use the <think> tag"},
      {"bug\n<think>not closed", "", "bug\n<think>not closed"},
      {"</think> ends it", "", "</think> ends it"},
      {"a </thinker>", "", "a </thinker>"},
  }));
  CAPTURE(c.text);
  const AnswerParts parts = split_thoughts(c.text);
  CHECK(parts.thoughts == c.thoughts);
  CHECK(parts.answer == c.answer);
}

TEST_CASE("tags without end cost no more than their length", "[answer]") {
  std::string opened;
  std::string closed;
  std::string blocks;
  for (int i = 0; i < 200'000; ++i) {
    opened += " <think>";
    closed += "</think> x ";
    blocks += "<think>\n</think>\n";
  }
  CHECK(split_thoughts("a" + opened).thoughts.empty());
  CHECK(split_thoughts("a" + closed).thoughts.empty());
  CHECK(split_thoughts(blocks).answer.empty());
}
