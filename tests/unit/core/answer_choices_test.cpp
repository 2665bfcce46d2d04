// SPDX-License-Identifier: Apache-2.0
#include "core/answer_choices.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <string>
#include <string_view>
#include <vector>

using namespace batchllm;

TEST_CASE("an answer is a choice whatever its case and the marks around it", "[answer]") {
  struct Case {
    std::string_view choices;
    std::string_view answer;
    std::string_view choice;
  };

  const auto& c = GENERATE(values<Case>({
      {"bug, question", "bug", "bug"},
      {"bug, question", "Bug.", "bug"},
      {"bug, question", " **BUG** \n", "bug"},
      {"bug, question", "\u201eBug!\u201c", "bug"},
      {"bug, question", "(bug)", "bug"},
      {"Feature_Request,x", "feature-request", "Feature_Request"},
      {"Feature_Request,x", "Feature  request", "Feature_Request"},
      {"ÄRGER,ОТЗЫВ", "ärger", "ÄRGER"},
      {"ÄRGER,ОТЗЫВ", "\"отзыв\u3002\"", "ОТЗЫВ"},
      {"C, C++, C#", "c++.", "C++"},
      {"C, C++, C#", "C#", "C#"},
      {"-1, 0, 1", "-1.", "-1"},
      {"<5, >5", ">5", ">5"},
      {"A, A-", "a-", "A-"},
      {R"("yes, but", no)", "Yes, but.", "yes, but"},
      {R"("say \"a\"",no)", "say \"a\"", R"(say "a")"},
      {"a., a", "A.", "a."},
      {"a., a", "a", "a"},
      {"..., b", "...", "..."},
  }));
  CAPTURE(c.choices, c.answer);
  const AnswerChoices choices = AnswerChoices::compile(c.choices);
  const auto found = choices.apply(c.answer);  // a view into the choices
  REQUIRE(found);
  CHECK(*found == c.choice);
}

TEST_CASE("an answer that says anything else is no choice", "[answer]") {
  struct Case {
    std::string_view choices;
    std::string_view answer;
  };

  const auto& c = GENERATE(values<Case>({
      {"bug, question", "The answer is: bug."},
      {"bug, question", "bug, question"},
      {"bug, question", "bugs"},
      {"bug, question", "a bug"},
      {"bug, question", ""},
      {"bug, question", "\xff"},
      {"C, Java", "C++"},
      {"1, 2", "-1"},
      {"5, 6", "<5"},
      {"15, 6", "1.5"},
      {"a., a!", "a"},  // which of the two?
      {"..., b", "?"},
  }));
  CAPTURE(c.choices, c.answer);
  const AnswerChoices choices = AnswerChoices::compile(c.choices);
  const auto found = choices.apply(c.answer);
  REQUIRE_FALSE(found);
  CHECK_THAT(found.error().advice, ContainsSubstring(choices.names().back()));
}

TEST_CASE("what was answered instead is told", "[answer]") {
  const AnswerChoices choices = AnswerChoices::compile("bug,question");
  CHECK(choices.names() == std::vector<std::string>{"bug", "question"});
  CHECK(choices.apply("It is\na bug").error().reason ==
        "the answer is none of the choices: \"It is a bug\"");
  CHECK(choices.apply(" ").error().reason == "the answer is empty, none of the choices");
  CHECK(choices.apply("x").error().advice ==
        "Answer with exactly one of these and nothing else: bug, question.");
}

TEST_CASE("a mistake in the choices is told with its column", "[answer]") {
  struct Case {
    std::string_view choices;
    std::string_view message;
  };

  const auto& c = GENERATE(values<Case>({
      {"", "column 1: no choice"},
      {"a,,b", "column 3: an empty choice"},
      {"a,", "column 3: an empty choice"},
      {"ä, bug, BUG", "column 8: bug and BUG are the same choice"},
      {"a,\"b", "column 3: this quote is not closed"},
      {"\"a\" b", "column 5: expected a comma behind the quote"},
      {"\xff", "the choices are not well-formed UTF-8"},
  }));
  CAPTURE(c.choices);
  const auto error = thrown_error([&] { (void)AnswerChoices::compile(c.choices); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  CHECK(error->message() == c.message);
}
