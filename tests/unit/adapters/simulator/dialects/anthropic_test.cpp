// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/adapters/simulator/asked.h"

#include <string>
#include <string_view>

using namespace batchllm;
using namespace batchllm::simulator;
using namespace batchllm::test;

namespace {

const Headers k_headers = {{"x-api-key", "sk-ant"}, {"anthropic-version", "2023-06-01"}};

constexpr std::string_view k_question =
    R"({"model":"claude","max_tokens":100,"system":[{"type":"text","text":"You sort."}],)"
    R"("messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64",)"
    R"("media_type":"image/png","data":"AA=="}},)"
    R"({"type":"text","text":"Classify as bug or praise: it crashes"}]}]})";

}  // namespace

TEST_CASE("Anthropic: an answer has its members", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(service, k_question, "/v1/messages", k_headers);
  CHECK(reply.status == 200);
  CHECK(is_json(reply.body));
  CHECK(member(reply, ".type") == "message");
  CHECK(member(reply, ".content[0].text") == "bug");
  CHECK(member(reply, ".stop_reason") == "end_turn");
  CHECK(member(reply, ".usage.input_tokens") == "12");
  CHECK(member(reply, ".usage.output_tokens") == "1");
  CHECK_THAT(header(reply, "request-id"), Catch::Matchers::StartsWith("req_"));
  CHECK(ask(service, k_question, "/messages", k_headers).body == reply.body);
}

TEST_CASE("Anthropic: what it demands is asked for", "[simulator][dialects]") {
  struct Case {
    Headers headers;
    std::string_view body;
    std::string_view message;
  };

  const auto& c = GENERATE(values<Case>({
      {{}, k_question, "anthropic-version: header is required"},
      {k_headers,
       R"({"model":"m","messages":[{"role":"user","content":"x"}]})",
       "max_tokens: Field required"},
      {k_headers,
       R"({"model":"m","max_tokens":1,"seed":1,"messages":[{"role":"user","content":"x"}]})",
       "seed: Extra inputs are not permitted"},
  }));
  SimulatorService service({});
  const SimulatedReply reply = ask(service, c.body, "/v1/messages", c.headers);
  CHECK(reply.status == 400);
  CHECK(member(reply, ".type") == "error");
  CHECK(member(reply, ".error.type") == "invalid_request_error");
  CHECK(member(reply, ".error.message") == c.message);
}

TEST_CASE("Anthropic: faults have its words", "[simulator][dialects]") {
  struct Case {
    std::string_view fault;
    int status;
    std::string_view path;
    std::string_view value;
  };

  const auto& c = GENERATE(values<Case>({
      {"429:1", 429, ".error.type", "rate_limit_error"},
      {"500:1", 500, ".error.type", "api_error"},
      {"529:1", 529, ".error.type", "overloaded_error"},
      {"401:1", 401, ".error.type", "authentication_error"},
      {"quota:1", 429, ".error.details.error_code", "enforced_spend_limit_reached"},
      {"context:1", 400, ".error.message", "prompt is too long: 200001 tokens > 200000 maximum"},
      {"length:1", 200, ".stop_reason", "max_tokens"},
      {"refusal:1", 200, ".stop_reason", "refusal"},
      {"content_filter:1", 200, ".stop_reason", "refusal"},
      {"empty:1", 200, ".content", "[]"},
  }));
  CAPTURE(c.fault);
  SimulatorService service(with_fault(c.fault));
  const SimulatedReply reply = ask(service, k_question, "/v1/messages", k_headers);
  CHECK(reply.status == c.status);
  CHECK(member(reply, c.path) == c.value);
  CHECK((header(reply, "retry-after") != "nothing") == (c.fault == "429:1"));
}

TEST_CASE("Anthropic: a stream says the same as the whole answer", "[simulator][dialects]") {
  SimulatorService service({});
  const std::string rest =
      R"("model":"m","max_tokens":99,"messages":[{"role":"user","content":"Say a few words"}]})";
  const SimulatedReply whole = ask(service, "{" + rest, "/v1/messages", k_headers);
  const SimulatedReply reply = ask(service, R"({"stream":true,)" + rest, "/v1/messages", k_headers);
  CHECK(reply.delivery == Delivery::events);
  CHECK(joined(reply, ".delta.text") == member(whole, ".content[0].text"));
  CHECK(joined(reply, ".delta.stop_reason") == "end_turn");
  CHECK_THAT(reply.body, Catch::Matchers::StartsWith("event: message_start\ndata: "));
  CHECK_THAT(reply.body, ContainsSubstring("event: message_stop\n"));
}

TEST_CASE("Anthropic: a tool that must be called, and limits in the headers",
          "[simulator][dialects]") {
  SimulatorSettings settings;
  settings.requests_per_minute = 1;
  settings.tokens_per_minute = 1000;
  SimulatorService service(settings);
  const std::string_view request =
      R"({"model":"m","max_tokens":99,"messages":[{"role":"user","content":"x"}],)"
      R"("tools":[{"name":"row","input_schema":{"properties":{"n":{"type":"integer"}}}}],)"
      R"("tool_choice":{"type":"tool","name":"row"}})";
  const SimulatedReply reply = ask(service, request, "/v1/messages", k_headers);
  CHECK(member(reply, ".stop_reason") == "tool_use");
  CHECK(member(reply, ".content[0].name") == "row");
  CHECK(member(reply, ".content[0].input.n") != "nothing");
  CHECK(header(reply, "anthropic-ratelimit-requests-remaining") == "0");
  CHECK(header(reply, "anthropic-ratelimit-tokens-limit") == "1000");
  CHECK(header(reply, "anthropic-ratelimit-requests-reset") == "1970-01-01T00:01:00Z");
  const SimulatedReply refused = ask(service, request, "/v1/messages", k_headers);
  CHECK(refused.status == 429);
  CHECK(header(refused, "retry-after") == "60");
}

TEST_CASE("Anthropic: models are told apart from OpenAI's by a header", "[simulator][dialects]") {
  SimulatorService service({});
  CHECK(member(ask(service, "", "/v1/models", k_headers, "GET"), ".data[0].type") == "model");
  CHECK(member(ask(service, "", "/v1/models", {}, "GET"), ".object") == "list");
  CHECK(ask(service, "", "/v1/models/none", k_headers, "GET").status == 404);
}

TEST_CASE("Anthropic: models come in parts", "[simulator][dialects]") {
  SimulatorService service({});
  const auto list = [&service](const std::string& query) {
    return ask(service, "", "/v1/models?" + query, k_headers, "GET");
  };
  const SimulatedReply first = list("limit=3");
  CHECK(is_json(first.body));
  CHECK(member(first, ".has_more") == "true");
  CHECK(member(first, ".data[2].id") == member(first, ".last_id"));
  const SimulatedReply last = list("limit=3&after_id=" + member(first, ".last_id"));
  CHECK(member(last, ".has_more") == "false");
  CHECK(member(last, ".data[0].id") == member(last, ".first_id"));
  CHECK(member(last, ".data[1].id") == "nothing");
  const SimulatedReply none = list("after_id=" + member(last, ".last_id"));
  CHECK(is_json(none.body));
  CHECK(member(none, ".data[0].id") == "nothing");
  CHECK(list("after_id=nobody").status == 404);
}
