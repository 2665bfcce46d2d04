// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/adapters/simulator/asked.h"

#include <string>
#include <string_view>

using namespace batchllm;
using namespace batchllm::simulator;
using namespace batchllm::test;

namespace {

constexpr std::string_view k_question =
    R"({"model":"llama","stream":false,"messages":[{"role":"user","images":["AA=="],)"
    R"("content":"Classify as bug or praise: it crashes"}]})";

}  // namespace

TEST_CASE("Ollama: an answer has its members", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(service, k_question, "/api/chat");
  CHECK(reply.status == 200);
  CHECK(is_json(reply.body));
  CHECK(member(reply, ".message.content") == "bug");
  CHECK(member(reply, ".done_reason") == "stop");
  CHECK(member(reply, ".prompt_eval_count") == "10");
  CHECK(member(reply, ".eval_count") == "1");
  CHECK(ask(service, k_question, "/v1/api/chat").body == reply.body);
}

TEST_CASE("Ollama: a stream of lines is what comes unless it is told otherwise",
          "[simulator][dialects]") {
  SimulatorService service({});
  const std::string messages = R"("model":"m","messages":[{"role":"user","content":"Say words"}]})";
  const SimulatedReply whole = ask(service, R"({"stream":false,)" + messages, "/api/chat");
  const SimulatedReply lines = ask(service, "{" + messages, "/api/chat");
  CHECK(lines.delivery == Delivery::events);
  CHECK(std::string_view(lines.content_type) == "application/x-ndjson");
  CHECK(joined(lines, ".message.content") == member(whole, ".message.content"));
  CHECK(member(events_of(lines).back(), ".done") == "true");
  CHECK(member(events_of(lines).back(), ".eval_count") == member(whole, ".eval_count"));
}

TEST_CASE("Ollama: errors are a text", "[simulator][dialects]") {
  struct Case {
    std::string_view fault;
    int status;
  };

  const auto& c = GENERATE(values<Case>(
      {{"429:1", 429}, {"500:1", 500}, {"503:1", 503}, {"quota:1", 402}, {"context:1", 400}}));
  SimulatorService service(with_fault(c.fault));
  const SimulatedReply reply = ask(service, k_question, "/api/chat");
  CHECK(reply.status == c.status);
  CHECK_FALSE(find_in_json(reply.body, ".error")->is_json);
}

TEST_CASE("Ollama: a schema, a limit and a completion", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply row =
      ask(service,
          R"({"model":"m","stream":false,"format":{"properties":{"n":{"type":"integer"}}},)"
          R"("messages":[{"role":"user","content":"x"}]})",
          "/api/chat");
  CHECK_THAT(member(member(row, ".message.content"), ".n"), Catch::Matchers::Matches("[0-9]+"));
  const SimulatedReply cut =
      ask(service,
          R"({"model":"m","stream":false,"options":{"num_predict":1,"seed":4},)"
          R"("prompt":"Tell a long story"})",
          "/api/generate");
  CHECK(member(cut, ".done_reason") == "length");
  CHECK(member(cut, ".response").size() == 4);
}

TEST_CASE("Ollama: what else it is asked for", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply vectors =
      ask(service, R"({"model":"e","input":["a","b"],"dimensions":3})", "/api/embed");
  CHECK(member(vectors, ".embeddings[1][2]") != "nothing");
  CHECK(member(vectors, ".embeddings[1][3]") == "nothing");
  CHECK(member(ask(service, "", "/api/tags", {}, "GET"), ".models[0].name") == "llama3.2:latest");
  CHECK(member(ask(service, "", "/api/version", {}, "GET"), ".version") != "nothing");
  CHECK(ask(service, R"({"model":"llama3.2"})", "/api/show").status == 200);
  CHECK(ask(service, R"({"model":"none"})", "/api/show").status == 404);
  CHECK(ask(service, "{}", "/api/nothing").status == 404);
}
