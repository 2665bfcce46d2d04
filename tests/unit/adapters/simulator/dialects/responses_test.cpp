// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/adapters/simulator/asked.h"

#include <string>
#include <string_view>

using namespace batchllm;
using namespace batchllm::simulator;
using namespace batchllm::test;

namespace {

constexpr std::string_view k_path = "/v1/responses";
constexpr std::string_view k_question =
    R"({"model":"m","instructions":"You sort.","input":[{"role":"user","content":[)"
    R"({"type":"input_text","text":"Classify as bug or praise: it crashes"},)"
    R"({"type":"input_image","image_url":"data:image/png;base64,AA=="}]}]})";

}  // namespace

TEST_CASE("Responses: an answer has its members", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(service, k_question, k_path);
  CHECK(reply.status == 200);
  CHECK(is_json(reply.body));
  CHECK(member(reply, ".status") == "completed");
  CHECK(member(reply, ".output[0].type") == "message");
  CHECK(member(reply, ".output[0].content[0].text") == "bug");
  CHECK(member(reply, ".usage.total_tokens") == "13");
  CHECK(member(ask(service, R"({"model":"m","input":"one of a, a: x"})", k_path),
               ".output[0].content[0].type") == "output_text");
}

TEST_CASE("Responses: what chat completions alone know is refused", "[simulator][dialects]") {
  const std::string_view extra = GENERATE(
      as<std::string_view>(), R"("seed":1)", R"("stop":"x")", R"("messages":[])", R"("n":1)");
  SimulatorService service({});
  const SimulatedReply reply =
      ask(service, R"({"model":"m","input":"x",)" + std::string(extra) + "}", k_path);
  CHECK(reply.status == 400);
  CHECK(member(reply, ".error.code") == "unknown_parameter");
}

TEST_CASE("Responses: faults have its words", "[simulator][dialects]") {
  struct Case {
    std::string_view fault;
    int status;
    std::string_view path;
    std::string_view value;
  };

  const auto& c = GENERATE(values<Case>({
      {"429:1", 429, ".error.code", "rate_limit_exceeded"},
      {"length:1", 200, ".incomplete_details.reason", "max_output_tokens"},
      {"content_filter:1", 200, ".incomplete_details.reason", "content_filter"},
      {"content_filter:1", 200, ".status", "incomplete"},
      {"refusal:1", 200, ".output[0].content[0].type", "refusal"},
      {"empty:1", 200, ".output[0].content[0].text", ""},
  }));
  CAPTURE(c.fault);
  SimulatorService service(with_fault(c.fault));
  const SimulatedReply reply = ask(service, k_question, k_path);
  CHECK(reply.status == c.status);
  CHECK(member(reply, c.path) == c.value);
}

TEST_CASE("Responses: a stream ends with the whole response", "[simulator][dialects]") {
  SimulatorService service({});
  const std::string rest = R"("model":"m","input":"Say a few words"})";
  const SimulatedReply whole = ask(service, "{" + rest, k_path);
  const SimulatedReply events = ask(service, R"({"stream":true,)" + rest, k_path);
  CHECK(joined(events, ".delta") == member(whole, ".output[0].content[0].text"));
  CHECK(member(events_of(events).back(), ".type") == "response.completed");
  CHECK(member(events_of(events).back(), ".response") == whole.body);
}

TEST_CASE("Responses: a schema and a tool", "[simulator][dialects]") {
  SimulatorService service({});
  const std::string rest = R"("model":"m","input":"x"})";
  const std::string schema = R"({"properties":{"n":{"type":"integer"}}})";
  const SimulatedReply row = ask(
      service,
      R"({"text":{"format":{"type":"json_schema","name":"row","schema":)" + schema + "}}," + rest,
      k_path);
  CHECK(member(member(row, ".output[0].content[0].text"), ".n") != "nothing");
  const SimulatedReply call =
      ask(service,
          R"({"tools":[{"type":"function","name":"row","parameters":)" + schema +
              R"(}],"tool_choice":{"type":"function","name":"row"},)" + rest,
          k_path);
  CHECK(member(call, ".output[0].type") == "function_call");
  CHECK(member(member(call, ".output[0].arguments"), ".n") != "nothing");
}
