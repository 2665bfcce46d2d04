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
    R"({"model":"command","messages":[{"role":"user","content":[{"type":"text",)"
    R"("text":"Classify as bug or praise: it crashes"},)"
    R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]})";

}  // namespace

TEST_CASE("Cohere: an answer has its members", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(service, k_question, "/v2/chat");
  CHECK(reply.status == 200);
  CHECK(is_json(reply.body));
  CHECK(member(reply, ".message.content[0].text") == "bug");
  CHECK(member(reply, ".finish_reason") == "COMPLETE");
  CHECK(member(reply, ".usage.billed_units.input_tokens") == "10");
  CHECK(member(reply, ".usage.billed_units.output_tokens") == "1");
}

TEST_CASE("Cohere: faults have its words", "[simulator][dialects]") {
  struct Case {
    std::string_view fault;
    int status;
    std::string_view path;
    std::string_view part;
  };

  const auto& c = GENERATE(values<Case>({
      {"429:1", 429, ".message", "429"},
      {"500:1", 500, ".message", "500"},
      {"quota:1", 429, ".message", "/ month"},
      {"context:1", 400, ".message", "too many tokens"},
      {"length:1", 200, ".finish_reason", "MAX_TOKENS"},
      {"content_filter:1", 200, ".finish_reason", "ERROR_TOXIC"},
  }));
  CAPTURE(c.fault);
  SimulatorService service(with_fault(c.fault));
  const SimulatedReply reply = ask(service, k_question, "/v2/chat");
  CHECK(reply.status == c.status);
  CHECK_THAT(member(reply, c.path), ContainsSubstring(std::string(c.part)));
}

TEST_CASE("Cohere: a stream and a schema", "[simulator][dialects]") {
  SimulatorService service({});
  const std::string rest = R"("model":"m","messages":[{"role":"user","content":"Say words"}]})";
  const SimulatedReply whole = ask(service, "{" + rest, "/v2/chat");
  const SimulatedReply events = ask(service, R"({"stream":true,)" + rest, "/v2/chat");
  CHECK(joined(events, ".delta.message.content.text") == member(whole, ".message.content[0].text"));
  CHECK(joined(events, ".delta.finish_reason") == "COMPLETE");
  const SimulatedReply row = ask(service,
                                 R"({"response_format":{"type":"json_object","json_schema":)"
                                 R"({"properties":{"n":{"type":"integer"}}}},)" +
                                     rest,
                                 "/v2/chat");
  CHECK_THAT(member(member(row, ".message.content[0].text"), ".n"),
             Catch::Matchers::Matches("[0-9]+"));
}

TEST_CASE("Cohere: vectors, which need a purpose", "[simulator][dialects]") {
  SimulatorService service({});
  const std::string rest = R"("model":"e","texts":["a","b"],"output_dimension":3})";
  const SimulatedReply vectors =
      ask(service, R"({"input_type":"search_query",)" + rest, "/v2/embed");
  CHECK(member(vectors, ".embeddings.float[1][2]") != "nothing");
  CHECK(member(vectors, ".embeddings.float[1][3]") == "nothing");
  CHECK(ask(service, "{" + rest, "/v2/embed").status == 400);
  const SimulatedReply bytes = ask(
      service, R"({"input_type":"search_query","embedding_types":["base64"],)" + rest, "/v2/embed");
  CHECK(member(bytes, ".embeddings.base64[0]").size() == 16);
}

TEST_CASE("Cohere: models come in parts, and only where its parameters are",
          "[simulator][dialects]") {
  SimulatorService service({});
  const auto list = [&service](const std::string& query) {
    return ask(service, "", "/v1/models?" + query, {}, "GET");
  };
  const SimulatedReply first = list("page_size=2&endpoint=chat");
  CHECK(is_json(first.body));
  CHECK(member(first, ".models[1].name") == "command-r7b-12-2024");
  CHECK(member(first, ".models[2].name") == "nothing");
  const SimulatedReply last =
      list("page_size=2&endpoint=chat&page_token=" + member(first, ".next_page_token"));
  CHECK(member(last, ".models[0].name") == "command-r-08-2024");
  CHECK(member(last, ".models[1].name") == "nothing");
  CHECK(member(last, ".next_page_token") == "nothing");
  CHECK(member(list("endpoint=embed"), ".models[0].endpoints[0]") == "embed");
  CHECK(list("page_token=mine").status == 404);
  CHECK(member(ask(service, "", "/v1/models", {}, "GET"), ".object") == "list");
}
