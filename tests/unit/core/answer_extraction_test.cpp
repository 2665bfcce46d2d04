// SPDX-License-Identifier: Apache-2.0
#include "core/answer_extraction.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <string>
#include <string_view>

using namespace batchllm;

TEST_CASE("the part that was asked for is taken out of an answer", "[answer]") {
  struct Case {
    std::string_view option;
    std::string_view answer;
    std::string_view part;
  };

  const auto& c = GENERATE(values<Case>({
      {"json", "It is {\"a\":1}.", R"({"a":1})"},
      {"code", "x\n```sql\nselect 1;\n```\n```\ny\n```", "select 1;"},
      {"tag:answer", "<answer>bug</answer>", "bug"},
      {"tag:answer", "<answer>no</answer> or <answer> bug\n</answer>.", " bug\n"},
      {"tag:a-b.c:d", "<a-b.c:d></a-b.c:d>", ""},
      {R"(regex:(?i)label:\s*(\w+))", "LABEL: bug, label: praise", "bug"},
      {R"(regex:\d+)", "about 42 of them", "42"},
      {"regex:a:(b)", "a:b", "b"},
  }));
  CAPTURE(c.option, c.answer);
  const auto part = AnswerExtraction::compile(c.option).apply(c.answer);
  REQUIRE(part);
  CHECK(*part == c.part);
}

TEST_CASE("an answer without that part says so, and how to do better", "[answer]") {
  struct Case {
    std::string_view option;
    std::string_view answer;
    std::string_view reason;
    std::string_view advice;
  };

  const auto& c = GENERATE(values<Case>({
      {"json", "no", "the answer has no JSON in it", "Answer with one JSON value only"},
      {"code", "x", "the answer has no code block", "Put the code into a code block"},
      {"code", "```\nx", "the answer's code block is cut off", "close it"},
      {"tag:answer", "bug", "the answer has no <answer>", "between <answer> and </answer>."},
      {"tag:a", "<a>x</a> <a>y", "the answer's last <a> is not closed", "between <a> and </a>."},
      {"tag:a", "<A>x</A>", "the answer has no <a>", ""},
      {"regex:x", "y", "the answer does not match the regular expression", "expression: x"},
      {"regex:(a)|b", "b", "the answer matches without the first group", ""},
      {"regex:^(a+)+$",
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
       "the regular expression takes too long on this answer",
       ""},
  }));
  CAPTURE(c.option, c.answer);
  const auto part = AnswerExtraction::compile(c.option).apply(c.answer);
  REQUIRE_FALSE(part);
  CHECK_THAT(part.error().reason, ContainsSubstring(std::string(c.reason)));
  CHECK_THAT(part.error().advice, ContainsSubstring(std::string(c.advice)));
}

TEST_CASE("an extraction that cannot be is refused with what there is", "[answer]") {
  struct Case {
    std::string_view option;
    std::string_view message;
    std::string_view hint;
  };

  const auto& c = GENERATE(values<Case>({
      {"", "unknown way to extract: ", "ways: json, code, tag:NAME, regex:PATTERN"},
      {"jsno", "unknown way to extract: jsno", "did you mean json?"},
      {"json:x", "json takes nothing behind a colon", "ways:"},
      {"tag", "tag: needs the name of a tag", "tag:answer"},
      {"tag:a b", "a b is no name of a tag", "tag:answer"},
      {"regex:", "regex: needs a regular expression", "for example"},
      {"regex:a(", "not usable: character 3: missing closing parenthesis", "for example"},
  }));
  CAPTURE(c.option);
  const auto error = thrown_error([&] { (void)AnswerExtraction::compile(c.option); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.message)));
  CHECK_THAT(error->hint(), ContainsSubstring(std::string(c.hint)));
}

TEST_CASE("white space and quotes around an answer are stripped", "[answer]") {
  CHECK(strip_answer(" \"bug\"\n") == "bug");
  CHECK(strip_answer("`'bug'`") == "bug");
  CHECK(strip_answer("\u201c bug \u201d\u00a0") == "bug");
  CHECK(strip_answer("\u201eFehler\u201c") == "Fehler");
  CHECK(strip_answer("\u00abошибка\u00bb") == "ошибка");
  CHECK(strip_answer(R"("yes" and "no")") == R"("yes" and "no")");
  CHECK(strip_answer("'tis") == "'tis");
  CHECK(strip_answer("\"") == "\"");
  CHECK(strip_answer("\"\"").empty());
  CHECK(strip_answer("").empty());
}
