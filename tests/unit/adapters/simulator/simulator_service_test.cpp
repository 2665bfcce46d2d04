// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/simulator_service.h"

#include "tests/support/catch.h"
#include "tests/unit/adapters/simulator/asked.h"

#include <string>
#include <string_view>

using namespace batchllm;
using namespace batchllm::simulator;
using batchllm::test::header;
using batchllm::test::member;

namespace {

constexpr std::string_view k_chat = "/v1/chat/completions";
constexpr std::string_view k_question =
    R"({"model":"m","messages":[{"role":"user","content":"Classify as bug or praise: it crashes"}]})";

SimulatedReply ask(SimulatorService& service,
                   std::string_view body,
                   std::string_view path = k_chat,
                   std::string_view method = "POST",
                   std::string authorization = "Bearer sk-one") {
  return test::ask(service, body, path, {{"Authorization", std::move(authorization)}}, method);
}

}  // namespace

TEST_CASE("equal requests get equal answers in any order and spelling", "[simulator]") {
  SimulatorService service({});
  SimulatorService other({});
  const SimulatedReply first = ask(service, k_question);
  CHECK(member(first, ".choices[0].message.content") == "bug");
  ask(other, R"({"model":"m","messages":[{"role":"user","content":"else"}]})");
  CHECK(ask(other, k_question).body == first.body);
  CHECK(
      ask(other,
          R"({ "messages": [{"content":"Classify as bug or praise: it crashe\u0073", "role":"user"}],
                "model":"m"})")
          .body == first.body);
  SimulatorSettings settings;
  settings.seed = 1;
  SimulatorService seeded(settings);
  CHECK(ask(seeded, k_question).body != first.body);
}

TEST_CASE("wrong requests are refused as OpenAI does", "[simulator]") {
  struct Case {
    std::string_view method;
    std::string_view path;
    std::string_view body;
    int status;
    std::string_view param;
  };

  const auto& c = GENERATE(values<Case>({
      {"POST", k_chat, "", 400, ""},
      {"POST", k_chat, "[]", 400, ""},
      {"POST", k_chat, "{\"model\":", 400, ""},
      {"POST", k_chat, R"({"model":"m","messages":[{"role":"user","content":"x"}]} x)", 400, ""},
      {"POST", k_chat, R"({"model":"m","messages":[{"role":"user","content":"x"}])", 400, ""},
      {"POST", k_chat, "{\"model\":\"\xFF\"}", 400, ""},
      {"POST", k_chat, R"({"messages":[{"role":"user","content":"x"}]})", 400, "model"},
      {"POST", k_chat, R"({"model":"m"})", 400, "messages"},
      {"POST", k_chat, R"({"model":"m","messages":[]})", 400, "messages"},
      {"POST", k_chat, R"({"model":"m","messages":"x"})", 400, "messages"},
      {"POST", k_chat, R"({"model":5,"messages":[]})", 400, "model"},
      {"POST", k_chat, R"({"model":"m","messages":[{"content":"x"}]})", 400, "messages.role"},
      {"POST",
       k_chat,
       R"({"model":"m","messages":[{"role":"user","content":5}]})",
       400,
       "messages.content"},
      {"POST",
       k_chat,
       R"({"model":"m","max_tokens":0,"messages":[{"role":"user","content":"x"}]})",
       400,
       "max_tokens"},
      {"POST",
       k_chat,
       R"({"model":"m","n":2,"messages":[{"role":"user","content":"x"}]})",
       400,
       "n"},
      {"GET", k_chat, "", 405, ""},
      {"POST", "/v1/models", "", 405, ""},
      {"GET", "/v1/models/none", "", 404, "model"},
      {"GET", "/v1/nothing", "", 404, ""},
      {"POST", "/v1/embeddings", R"({"model":"m","input":""})", 400, "input"},
      {"POST", "/v1/embeddings", R"({"model":"m","input":[5]})", 400, "input"},
      {"POST", "/v1/embeddings", R"({"model":"m","input":"x","dimensions":0})", 400, "dimensions"},
  }));
  CAPTURE(c.method, c.path, c.body);
  SimulatorService service({});
  const SimulatedReply reply = ask(service, c.body, c.path, c.method);
  CHECK(reply.status == c.status);
  CHECK(is_json(reply.body));
  CHECK(member(reply, ".error.type") == "invalid_request_error");
  CHECK(find_in_json(reply.body, ".error.param")->is_null == c.param.empty());
  CHECK((c.param.empty() || member(reply, ".error.param") == c.param));
}

TEST_CASE("paths are served with and without /v1", "[simulator]") {
  SimulatorService service({});
  CHECK(ask(service, "", "/models", "GET").status == 200);
  CHECK(ask(service, "", "/v1/models/gpt-4o", "GET").status == 200);
  CHECK(ask(service, "", "/health", "GET").status == 200);
  CHECK(ask(service, k_question, "/chat/completions").status == 200);
}

TEST_CASE("each fault shows in the answer as with a real server", "[simulator]") {
  struct Case {
    std::string_view fault;
    int status;
    Delivery delivery;
    std::string_view path;
    std::string_view value;
  };

  const auto& c = GENERATE(values<Case>({
      {"500:1", 500, Delivery::answer, ".error.type", "server_error"},
      {"quota:1", 429, Delivery::answer, ".error.code", "insufficient_quota"},
      {"context:1", 400, Delivery::answer, ".error.code", "context_length_exceeded"},
      {"length:1", 200, Delivery::answer, ".choices[0].finish_reason", "length"},
      {"content_filter:1", 200, Delivery::answer, ".choices[0].finish_reason", "content_filter"},
      {"empty:1", 200, Delivery::answer, ".choices[0].message.content", ""},
      {"refusal:1",
       200,
       Delivery::answer,
       ".choices[0].message.refusal",
       "I'm sorry, but I can't help with that."},
      {"truncated:1", 200, Delivery::truncated, ".choices[0].finish_reason", "stop"},
      {"garbage:1", 200, Delivery::answer, ".choices", "nothing"},
      {"reset:1", 200, Delivery::reset, "", "nothing"},
      {"close:1", 200, Delivery::close, "", "nothing"},
      {"hang:1", 200, Delivery::hang, "", "nothing"},
  }));
  CAPTURE(c.fault);
  SimulatorService service(test::with_fault(c.fault));
  const SimulatedReply reply = ask(service, k_question);
  CHECK(reply.status == c.status);
  CHECK(reply.delivery == c.delivery);
  CHECK(member(reply, c.path) == c.value);
}

TEST_CASE("a fault marked once is gone when the same request comes again", "[simulator]") {
  SimulatorService service(test::with_fault("500:100%:once"));
  CHECK(ask(service, k_question).status == 500);
  CHECK(ask(service, k_question).status == 200);
}

TEST_CASE("limits answer 429 with what a client needs to wait", "[simulator]") {
  SimulatorSettings settings;
  settings.requests_per_minute = 2;
  SimulatorService service(settings);
  CHECK(header(ask(service, k_question), "x-ratelimit-remaining-requests") == "1");
  CHECK(ask(service, k_question).status == 200);
  const SimulatedReply refused = ask(service, k_question);
  CHECK(refused.status == 429);
  CHECK(member(refused, ".error.code") == "rate_limit_exceeded");
  CHECK(member(refused, ".error.type") == "requests");
  CHECK(header(refused, "retry-after") == "30");
  CHECK(header(refused, "retry-after-ms") == "30000");
  CHECK(header(refused, "x-ratelimit-reset-requests") == "1m0s");
  CHECK(ask(service, k_question, k_chat, "POST", "Bearer sk-two").status == 200);
}

TEST_CASE("a required key is asked for", "[simulator]") {
  SimulatorSettings settings;
  settings.required_key = "sk-right";
  SimulatorService service(settings);
  CHECK(ask(service, k_question, k_chat, "POST", "bearer sk-right").status == 200);
  CHECK(ask(service, k_question, k_chat, "POST", "").status == 401);
  CHECK(member(ask(service, k_question), ".error.code") == "invalid_api_key");
}

TEST_CASE("max_tokens cuts the answer and says so", "[simulator]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(
      service,
      R"({"model":"m","max_completion_tokens":2,"messages":[{"role":"user","content":"Tell a long story"}]})");
  CHECK(member(reply, ".choices[0].message.content").size() <= 8);
  CHECK(member(reply, ".choices[0].finish_reason") == "length");
  CHECK(member(reply, ".usage.completion_tokens") == "2");
}

TEST_CASE("a stream says the same as the whole answer", "[simulator]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(
      service,
      R"({"model":"m","stream":true,"messages":[{"role":"user","content":"Say a few words"}]})");
  CHECK(reply.delivery == Delivery::events);
  CHECK_THAT(reply.body, ContainsSubstring("data: [DONE]\n\n"));
  const SimulatedReply whole =
      ask(service, R"({"model":"m","messages":[{"role":"user","content":"Say a few words"}]})");
  CHECK(test::joined(reply, ".choices[0].delta.content") ==
        member(whole, ".choices[0].message.content"));
}

TEST_CASE("content in parts is read like text", "[simulator]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(
      service,
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Classify as bug or praise:"},
          {"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"text","text":"it crashes"}]}]})");
  CHECK(member(reply, ".choices[0].message.content") == "bug");
}

TEST_CASE("a tool that must be called is called with arguments of its schema", "[simulator]") {
  SimulatorService service({});
  const std::string request =
      R"("model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function",)"
      R"("function":{"name":"row","parameters":{"type":"object","properties":{"n":{"type":"integer"}}}}}],)"
      R"("tool_choice":{"type":"function","function":{"name":"row"}}})";
  const SimulatedReply reply = ask(service, "{" + request);
  CHECK(member(reply, ".choices[0].finish_reason") == "tool_calls");
  CHECK(find_in_json(reply.body, ".choices[0].message.content")->is_null);
  CHECK(member(reply, ".choices[0].message.tool_calls[0].function.name") == "row");
  const std::string arguments =
      member(reply, ".choices[0].message.tool_calls[0].function.arguments");
  CHECK(member(arguments, ".n") != "nothing");
  const SimulatedReply streamed = ask(service, R"({"stream":true,)" + request);
  CHECK(test::joined(streamed, ".choices[0].delta.tool_calls[0].function.arguments") == arguments);
  CHECK(ask(service,
            R"({"model":"m","messages":[{"role":"user","content":"x"}],"tools":[],)"
            R"("tool_choice":"required"})")
            .status == 400);
}
