// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/script.h"

#include "core/error.h"
#include "tests/support/catch.h"

#include <string_view>

using namespace batchllm::simulator;

TEST_CASE("the first line of a script that fits and has times left decides", "[simulator]") {
  Script script = Script::parse(
      "{\"match\":\"refund\",\"content\":\"first\",\"times\":1}\n"
      "\n"
      "{\"match_regex\":\"^re.*d$\",\"status\":503,\"error\":\"down\",\"delay\":\"2s\"}\r\n"
      "{\"fault\":\"reset\"}",
      "script.jsonl");
  CHECK(script.find("a refund, please")->content == "first");
  const ScriptedAnswer* second = script.find("refund");
  CHECK(second->status == 503);
  CHECK(second->delay_ms == 2000);
  CHECK(second->error == "down");
  CHECK(script.find("another")->fault->kind == FaultKind::reset);
}

TEST_CASE("a script that fits nothing leaves the answer alone", "[simulator]") {
  CHECK(Script::parse("", "empty").find("x") == nullptr);
  CHECK(Script::parse("{\"match\":\"y\"}", "other").find("x") == nullptr);
}

TEST_CASE("a line for one model fits no other", "[simulator]") {
  Script script = Script::parse(R"({"match":"x","model":"a","content":"from a"})", "script.jsonl");
  CHECK(script.find("x", "a")->content == "from a");
  CHECK(script.find("x", "b") == nullptr);
  CHECK(script.find("y", "a") == nullptr);
}

TEST_CASE("a malformed script is refused with its line", "[simulator]") {
  const auto line = GENERATE(values<std::string_view>({
      "{",
      "[]",
      R"({"contents":"x"})",
      R"({"content":5})",
      R"({"status":99})",
      R"({"delay":"soon"})",
      R"({"match_regex":"("})",
      R"({"fault":"rest"})",
      R"({"times":-1})",
      R"({"headers":{"a b":"c"}})",
      R"({"headers":{"a":"c\r\nd: e"}})",
  }));
  CAPTURE(line);
  try {
    static_cast<void>(Script::parse("{}\n" + std::string(line), "answers.jsonl"));
    FAIL("accepted");
  } catch (const batchllm::Error& error) {
    CHECK(error.code() == batchllm::ErrorCode::input_malformed);
    CHECK_THAT(error.message(), ContainsSubstring("answers.jsonl:2: "));
  }
}

TEST_CASE("a script that is not there is named", "[simulator]") {
  CHECK_THROWS_AS(Script::read_file("/nonexistent/script.jsonl"), batchllm::Error);
}
