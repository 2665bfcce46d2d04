// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/adapters/simulator/asked.h"

#include <string>
#include <string_view>

using namespace batchllm;
using namespace batchllm::simulator;
using namespace batchllm::test;

namespace {

constexpr std::string_view k_path = "/v1beta/models/gemini-x:generateContent";
constexpr std::string_view k_question =
    R"({"systemInstruction":{"parts":[{"text":"You sort."}]},"contents":[{"role":"user","parts":)"
    R"([{"inlineData":{"mimeType":"image/png","data":"AA=="}},)"
    R"({"text":"Classify as bug or praise: it crashes"}]}]})";

}  // namespace

TEST_CASE("Gemini: an answer has its members", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(service, k_question, k_path);
  CHECK(reply.status == 200);
  CHECK(is_json(reply.body));
  CHECK(member(reply, ".candidates[0].content.parts[0].text") == "bug");
  CHECK(member(reply, ".candidates[0].finishReason") == "STOP");
  CHECK(member(reply, ".usageMetadata.promptTokenCount") == "12");
  CHECK(member(reply, ".usageMetadata.candidatesTokenCount") == "1");
  CHECK(member(reply, ".modelVersion") == "gemini-x");
}

TEST_CASE("Gemini: wrong requests get the status's name", "[simulator][dialects]") {
  struct Case {
    std::string_view path;
    std::string_view body;
    int status;
    std::string_view name;
  };

  const auto& c = GENERATE(values<Case>({
      {k_path, "{}", 400, "INVALID_ARGUMENT"},
      {k_path, R"({"messages":[]})", 400, "INVALID_ARGUMENT"},
      {k_path, R"({"contents":[{"parts":"x"}]})", 400, "INVALID_ARGUMENT"},
      {k_path,
       R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseJsonSchema":{}}})",
       400,
       "INVALID_ARGUMENT"},
      {"/v1beta/models/m:dream", "{}", 404, "NOT_FOUND"},
      {"/v1beta/nothing", "{}", 404, "NOT_FOUND"},
  }));
  CAPTURE(c.path, c.body);
  SimulatorService service({});
  const SimulatedReply reply = ask(service, c.body, c.path);
  CHECK(reply.status == c.status);
  CHECK(member(reply, ".error.code") == std::to_string(c.status));
  CHECK(member(reply, ".error.status") == c.name);
}

TEST_CASE("Gemini: faults have its words, and the wait is in the body", "[simulator][dialects]") {
  struct Case {
    std::string_view fault;
    int status;
    std::string_view path;
    std::string_view value;
  };

  const auto& c = GENERATE(values<Case>({
      {"429:1", 429, ".error.details[1].retryDelay", "0.1s"},
      {"500:1", 500, ".error.status", "INTERNAL"},
      {"503:1", 503, ".error.status", "UNAVAILABLE"},
      {"quota:1",
       429,
       ".error.details[0].violations[0].quotaId",
       "GenerateRequestsPerDayPerProjectPerModel"},
      {"quota:1", 429, ".error.details[1]", "nothing"},
      {"context:1", 400, ".error.status", "INVALID_ARGUMENT"},
      {"length:1", 200, ".candidates[0].finishReason", "MAX_TOKENS"},
      {"content_filter:1", 200, ".candidates[0].finishReason", "SAFETY"},
      {"content_filter:1", 200, ".candidates[0].content", "nothing"},
      {"empty:1", 200, ".candidates[0].content.parts", "nothing"},
      {"refusal:1",
       200,
       ".candidates[0].content.parts[0].text",
       "I'm sorry, but I can't help with that."},
  }));
  CAPTURE(c.fault, c.path);
  SimulatorService service(with_fault(c.fault));
  const SimulatedReply reply = ask(service, k_question, k_path);
  CHECK(reply.status == c.status);
  CHECK(member(reply, c.path) == c.value);
  CHECK(header(reply, "retry-after") == "nothing");
}

TEST_CASE("Gemini: a key that is refused is a wrong argument", "[simulator][dialects]") {
  SimulatorSettings settings;
  settings.required_key = "right";
  SimulatorService service(settings);
  const SimulatedReply wrong = ask(service, k_question, k_path, {{"x-goog-api-key", "wrong"}});
  CHECK(wrong.status == 400);
  CHECK(member(wrong, ".error.details[0].reason") == "API_KEY_INVALID");
  CHECK(ask(service, k_question, k_path).status == 403);
  CHECK(ask(service, k_question, k_path, {{"x-goog-api-key", "right"}}).status == 200);
  CHECK(ask(service, k_question, std::string(k_path) + "?key=right").status == 200);
}

TEST_CASE("Gemini: both kinds of streams say the same as the whole answer",
          "[simulator][dialects]") {
  SimulatorService service({});
  constexpr std::string_view k_words = R"({"contents":[{"parts":[{"text":"Say a few words"}]}]})";
  const std::string text =
      member(ask(service, k_words, k_path), ".candidates[0].content.parts[0].text");
  const SimulatedReply events =
      ask(service, k_words, "/v1beta/models/gemini-x:streamGenerateContent?alt=sse");
  CHECK(joined(events, ".candidates[0].content.parts[0].text") == text);
  CHECK(joined(events, ".candidates[0].finishReason") == "STOP");
  const SimulatedReply array =
      ask(service, k_words, "/v1beta/models/gemini-x:streamGenerateContent");
  CHECK(is_json(array.body));
  CHECK(array.ends.size() == events.ends.size());
}

TEST_CASE("Gemini: schemas of either kind are answered", "[simulator][dialects]") {
  const std::string_view schema =
      GENERATE(as<std::string_view>(),
               R"("responseJsonSchema":{"type":"object","properties":{"n":{"type":"integer"}}})",
               R"("responseSchema":{"type":"OBJECT","properties":{"n":{"type":"INTEGER"}}})");
  SimulatorService service({});
  const SimulatedReply reply = ask(service,
                                   R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":)"
                                   R"({"responseMimeType":"application/json",)" +
                                       std::string(schema) + "}}",
                                   k_path);
  const std::string answer = member(reply, ".candidates[0].content.parts[0].text");
  CHECK_THAT(member(answer, ".n"), Catch::Matchers::Matches("-?[0-9]+"));
}

TEST_CASE("Gemini: vectors come one by one and in batches", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply one = ask(service,
                                 R"({"content":{"parts":[{"text":"a"}]},"outputDimensionality":2})",
                                 "/v1beta/models/e:embedContent");
  const SimulatedReply many =
      ask(service,
          R"({"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":2},)"
          R"({"content":{"parts":[{"text":"b"}]}}]})",
          "/v1beta/models/e:batchEmbedContents");
  CHECK(member(one, ".embedding.values[1]") != "nothing");
  CHECK(member(one, ".embedding.values[2]") == "nothing");
  CHECK(member(many, ".embeddings[0].values") == member(one, ".embedding.values"));
  CHECK(member(many, ".embeddings[1].values") != member(one, ".embedding.values"));
  CHECK(member(ask(service, "", "/v1beta/models", {}, "GET"), ".models[0].name") ==
        "models/gemini-2.5-flash");
}

TEST_CASE("Gemini: models come in parts", "[simulator][dialects]") {
  SimulatorService service({});
  const auto list = [&service](const std::string& query) {
    return ask(service, "", "/v1beta/models?" + query, {}, "GET");
  };
  const SimulatedReply first = list("pageSize=3");
  CHECK(is_json(first.body));
  CHECK(member(first, ".models[3].name") == "nothing");
  const SimulatedReply last = list("pageSize=3&pageToken=" + member(first, ".nextPageToken"));
  CHECK(member(last, ".models[0].name") == "models/gemini-embedding-001");
  CHECK(member(last, ".nextPageToken") == "nothing");
  CHECK(list("pageToken=mine").status == 404);
}
