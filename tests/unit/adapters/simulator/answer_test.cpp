// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/answer.h"

#include "adapters/simulator/choice_list.h"
#include "adapters/simulator/schema_answer.h"
#include "core/json_text.h"
#include "core/text.h"
#include "tests/support/catch.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace batchllm::simulator;

namespace {

using Choices = std::vector<std::string_view>;

std::string answer_to(std::string_view user, std::string_view system = {}, std::uint64_t bits = 1) {
  std::string out;
  append_answer(out, system, user, bits);
  return out;
}

}  // namespace

TEST_CASE("the choices that a prompt offers are found", "[simulator]") {
  struct Case {
    std::string_view prompt;
    Choices choices;
  };

  const auto& c = GENERATE(values<Case>({
      {"Classify as bug, question or praise: it crashes", {"bug", "question", "praise"}},
      {"Classify the ticket as bug, feature request, or praise.\n\nText",
       {"bug", "feature request", "praise"}},
      {"Answer with exactly one of: red, green, blue\n", {"red", "green", "blue"}},
      {"Label the review POSITIVE, NEGATIVE or NEUTRAL: fine", {"POSITIVE", "NEGATIVE", "NEUTRAL"}},
      {"Reply with POSITIVE|NEGATIVE|NEUTRAL only.", {"POSITIVE", "NEGATIVE", "NEUTRAL"}},
      {"Is it spam? Answer \"yes\" or \"no\".", {"yes", "no"}},
      {"Answer (yes/no): is it late?", {"yes", "no"}},
      {"Choose one of the labels [a, b, c]", {"a", "b", "c"}},
      {"Summarise this or that in a sentence", {}},
      {"", {}},
      {"Classify", {}},
      {"answer or", {}},
  }));
  CAPTURE(c.prompt);
  CHECK(find_choices(c.prompt).choices == c.choices);
}

TEST_CASE("an answer is the choice that the text speaks for", "[simulator]") {
  constexpr std::string_view k_ask = "Classify as bug, question or praise: ";
  CHECK(answer_to(std::string(k_ask) + "it crashes on start") == "bug");
  CHECK(answer_to(std::string(k_ask) + "how do I export?") == "question");
  CHECK(answer_to(std::string(k_ask) + "I love it") == "praise");
  CHECK(answer_to("it crashes on start", "Reply with bug, question or praise.") == "bug");
}

TEST_CASE("without a choice the answer is a sentence about the text", "[simulator]") {
  const std::string answer = answer_to("Summarise: the printer is on fire");
  CHECK_THAT(answer, ContainsSubstring("the printer is on fire."));
  CHECK(answer == answer_to("Summarise: the printer is on fire"));
}

TEST_CASE("answers to any text are valid UTF-8 and short", "[simulator]") {
  const auto text = GENERATE(values<std::string>({
      "",
      ":",
      std::string(1'000'000, 'x'),
      std::string(200, '\n'),
      []() {
        std::string long_word = "a";
        for (int i = 0; i < 100; ++i) {
          long_word += "\u20AC";
        }
        return long_word;
      }(),
  }));
  const std::string answer = answer_to(text);
  CHECK(batchllm::is_utf8(answer));
  CHECK(!answer.empty());
  CHECK(answer.size() < 200);
}

TEST_CASE("a schema is answered with a value that fits", "[simulator]") {
  struct Case {
    std::string_view schema;
    std::string_view value;
  };

  const auto& c = GENERATE(values<Case>({
      {R"({"type":"string"})", R"("text")"},
      {R"({"enum":["only"]})", R"("only")"},
      {R"({"const":7})", "7"},
      {R"({"type":["null","string"]})", R"("text")"},
      {R"({"type":"integer","minimum":3,"maximum":3})", "3"},
      {R"({"type":"array","minItems":2,"items":{"type":"null"}})", "[null,null]"},
      {R"({"type":"object","properties":{"a":{"$ref":"#/$defs/n"}},"$defs":{"n":{"const":1}}})",
       R"({"a":1})"},
      {R"({"anyOf":[{"const":true},{"type":"null"}]})", "true"},
      {R"({"type":"string","format":"date"})", R"("2026-01-15")"},
  }));
  CAPTURE(c.schema);
  std::string out;
  CHECK(append_schema_answer(out, c.schema, "text", 5));
  CHECK(out == c.value);
  CHECK(batchllm::is_json(out));
}

TEST_CASE("a schema without end is given up and leaves nothing behind", "[simulator]") {
  const auto schema = GENERATE(values<std::string_view>({
      R"({"$ref":"#"})",
      R"({"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}})",
      R"({"$ref":"http://example.com/schema"})",
      R"([1])",
      R"({)",
  }));
  CAPTURE(schema);
  std::string out = "before";
  CHECK_FALSE(append_schema_answer(out, schema, "text", 5));
  CHECK(out == "before");
}
