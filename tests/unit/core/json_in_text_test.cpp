// SPDX-License-Identifier: Apache-2.0
#include "core/json_in_text.h"

#include "tests/support/catch.h"

#include <string>
#include <string_view>

using namespace batchllm;

namespace {

std::string found(std::string_view text) {
  const auto json = find_json(text);
  return json ? std::string(*json) : "mistake: " + json.error().reason;
}

constexpr std::string_view k_broken = "mistake: the last JSON in the answer is broken or cut off";
constexpr std::string_view k_none = "mistake: the answer has no JSON in it";

}  // namespace

TEST_CASE("the JSON of an answer is found amid what it says", "[answer]") {
  struct Case {
    std::string_view text;
    std::string_view json;
  };

  const auto& c = GENERATE(values<Case>({
      // the whole answer
      {" {\"a\":1}\n", R"({"a":1})"},
      {"42", "42"},
      {"\"bug\"", "\"bug\""},
      {"[1, 2]", "[1, 2]"},
      {R"({"code":"```json\n{}\n```"})", R"({"code":"```json\n{}\n```"})"},
      // code blocks
      {"Sure:\n```json\n{\"a\":1}\n```\nHope it helps {", R"({"a":1})"},
      {"```\n[1]\n```", "[1]"},
      {"```JSON\n\"x\"\n```", "\"x\""},
      {"~~~~json\n{\"a\":\"~~~\"}\n~~~~", R"({"a":"~~~"})"},
      {"Example:\n```json\n{\"a\":0}\n```\nAnswer:\n  ```json\n  {\"a\":1}\n  ```", R"({"a":1})"},
      {"```python\nprint({})\n```\n```json\n{\"a\":1}\n```\n```sh\nls\n```", R"({"a":1})"},
      {"```json\r\n{\"a\":1}\r\n```\r\n", R"({"a":1})"},
      {"```json\n{\"a\":1}", R"({"a":1})"},  // the fence is missing, the value is complete
      // prose
      {R"(The label is {"label":"bug"}.)", R"({"label":"bug"})"},
      {R"(Not {"label":"bug"} but {"label":"praise"}.)", R"({"label":"praise"})"},
      {R"(Braces {like these} and {"a":{"b":"}"}}: ok)", R"({"a":{"b":"}"}})"},
      {R"(All: [{"a":1},{"b":2}] [1])", R"([{"a":1},{"b":2}])"},
      {R"({"a":1} as in [1] and [see](http://x))", R"({"a":1})"},
      {"Numbers:\n[1, 2]\n", "[1, 2]"},
      {"```python\nx = {\"a\": 1} + 1\n```\nso {\"b\":2}", R"({"b":2})"},
      {R"({label: "x"} means {"label":"y"})", R"({"label":"y"})"},
      {R"(half open [0, 1) then {"a":1})", R"({"a":1})"},
  }));
  CAPTURE(c.text);
  CHECK(found(c.text) == c.json);
}

TEST_CASE("JSON that is not the answer is not taken for it", "[answer]") {
  struct Case {
    std::string_view text;
    std::string_view reason;
  };

  const auto& c = GENERATE(values<Case>({
      {"", "mistake: the answer is empty"},
      {"I do not know [1].", k_none},
      {"{like this}", k_none},
      {"```python\nx = {\"a\": 1} + 1\n```", k_none},
      // cut off: the parts inside are not the whole
      {R"({"items":[{"a":1},{"b":2})", k_broken},
      {R"(Here: [{"a":1},{"b":2})", k_broken},
      {R"({"a":1} is an example; {"a":2,)", k_broken},
      {R"({result: {"a":1}})", k_broken},
      {R"({result: {"a":1})", k_broken},
      // a broken last one does not make an earlier one the answer
      {R"(Example: {"label":"bug"}. Mine: {label: "praise"})", k_broken},
      {"```json\n{\"a\":0}\n```\n```json\n{\"a\":1,\n```",
       "mistake: the last code block of the answer is no JSON"},
      {"```json\n{\"a\":0}\n```\n```json\n{\"a\":1,",
       "mistake: the last code block of the answer is cut off"},
  }));
  CAPTURE(c.text);
  CHECK(found(c.text) == c.reason);
}

TEST_CASE("brackets without end cost a bounded number of walks", "[answer]") {
  std::string text;
  for (int i = 0; i < 500'000; ++i) {
    text += "[a";
  }
  CHECK(found(text) == k_broken);
  CHECK(found(std::string(1'000'000, '{')) == k_broken);
  CHECK(found(std::string(1'000'000, '[') + std::string(1'000'000, ']')) == k_broken);
}

TEST_CASE("code blocks are found with their language and end", "[answer]") {
  const std::string_view text = "a\n```py title\nx\n\ny\n```\n`in ``` line`\n````\n```\n````";
  const auto blocks = find_code_blocks(text);
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].language == "py");
  CHECK(blocks[0].content == "x\n\ny");
  CHECK(blocks[0].is_closed);
  CHECK(text.substr(blocks[0].begin, 5) == "```py");
  CHECK(text.substr(blocks[0].end, 3) == "`in");
  CHECK(blocks[1].content == "```");
  CHECK(find_code_blocks("```\n```")[0].content.empty());
}
