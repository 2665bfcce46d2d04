// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/gemini.h"

#include "adapters/providers/model_catalog.h"
#include "tests/support/catch.h"
#include "tests/support/wire_fixture.h"

using namespace batchllm;
using namespace batchllm::test;

namespace {

constexpr const char* k_dialect = "gemini";

std::string candidate(const std::string& parts, const std::string& reason) {
  return R"({"candidates":[{"content":{"role":"model","parts":[)" + parts +
         R"(]},"finishReason":")" + reason +
         R"(","index":0,"safetyRatings":[]}],"usageMetadata":{"promptTokenCount":10,)"
         R"("cachedContentTokenCount":4,"candidatesTokenCount":20,"thoughtsTokenCount":5,)"
         R"("totalTokenCount":35},"modelVersion":"m"})";
}

std::string error(int code,
                  const std::string& status,
                  const std::string& message,
                  const std::string& details = "") {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":")" + message +
         R"(","status":")" + status + R"(","details":[)" + details + "]}}";
}

std::string quota(const std::string& id) {
  return R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"x","quotaId":")" +
         id + R"(","quotaValue":"5"}]})";
}

std::string retry_in(const std::string& delay) {
  return R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":")" + delay + "\"}";
}

}  // namespace

TEST_CASE("contents go where Gemini wants them", "[gemini]") {
  ModelRequest model = request_for();
  model.max_tokens.reset();
  Prompt prompt;
  prompt.messages = {{"user", "hi"}};
  CHECK(encoded(k_dialect, model, prompt) ==
        R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})");
  CHECK(encoded(k_dialect, request_for(), few_shot_prompt()) ==
        R"({"systemInstruction":{"parts":[{"text":"be \"brief\""}]},"contents":[)"
        R"({"role":"user","parts":[{"text":"1+1?"}]},{"role":"model","parts":[{"text":"2"}]},)"
        "{\"role\":\"user\",\"parts\":[{\"text\":\"größe\\n\"}]}],"
        R"("generationConfig":{"maxOutputTokens":50}})");
  model.traits.system_role = "user";
  prompt.messages = {{"system", "a"}, {"user", "hi"}};
  CHECK(encoded(k_dialect, model, prompt) ==
        R"({"contents":[{"role":"user","parts":[{"text":"a"}]},)"
        R"({"role":"user","parts":[{"text":"hi"}]}]})");
}

TEST_CASE("an image is part of Gemini's contents", "[gemini]") {
  ModelRequest model = request_for();
  model.max_tokens.reset();
  CHECK(
      encoded(k_dialect, model, image_prompt()) ==
      R"({"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}},)"
      R"({"text":"what is it?"}]}]})");
  CHECK(encoded(k_dialect, model, image_prompt("https://h/a.png")) ==
        R"({"contents":[{"role":"user","parts":[{"fileData":{"fileUri":"https://h/a.png"}},)"
        R"({"text":"what is it?"}]}]})");
}

TEST_CASE("settings go into Gemini's generationConfig, some beside it", "[gemini]") {
  ModelRequest model = request_for();
  model.temperature = 0;
  model.schema = small_schema();
  model.effort = "low";
  model.traits.effort = "thinkingConfig.thinkingLevel";
  model.parameters = {{"seed", "7"}, {"topP", "0.5"}, {"safetySettings", "[]"}};
  const std::string contents = R"({"contents":[],"generationConfig":{)";
  CHECK(encoded(k_dialect, model, Prompt{}) ==
        contents +
            R"("maxOutputTokens":50,"temperature":0,"responseMimeType":"application/json",)"
            R"("responseJsonSchema":{"type":"object"},"thinkingConfig":{"thinkingLevel":"LOW"},)"
            R"("seed":7,"topP":0.5},"safetySettings":[]})");
  model = request_for();
  model.max_tokens.reset();
  model.schema = small_schema();
  model.traits.schema_mode = SchemaMode::json_object;
  model.effort = "none";
  model.traits.effort = "thinkingConfig.thinkingBudget";
  CHECK(encoded(k_dialect, model, Prompt{}) ==
        contents +
            R"("responseMimeType":"application/json","thinkingConfig":{"thinkingBudget":0}}})");
}

TEST_CASE("the model stands in Gemini's address, the key in a header", "[gemini]") {
  ModelRequest model = request_for("https://g.example");
  model.model = "gemini-2.5-pro";
  model.key = "k";
  const HttpEndpoint endpoint = make_gemini_provider(model)->endpoint();
  CHECK(endpoint.url == "https://g.example/v1beta/models/gemini-2.5-pro:generateContent");
  CHECK(header_of(endpoint, "x-goog-api-key") == "k");
  model.base_url = "https://g.example/v1beta";
  model.model = "tunedModels/a b?c";
  CHECK(make_gemini_provider(model)->endpoint().url ==
        "https://g.example/v1beta/tunedModels/a%20b%3Fc:generateContent");
}

TEST_CASE("Gemini's answers are told apart", "[gemini]") {
  const std::string text = R"({"text":"a\n"})";
  const std::string thought = R"({"text":"hm","thought":true})";
  const auto provider = make_gemini_provider(request_for());
  check_cases(
      *provider,
      {
          {200, candidate(text, "STOP"), RowFailure::none, "a\n"},
          {200, candidate(thought + "," + text + "," + text, "STOP"), RowFailure::none, "a\na\n"},
          {200, candidate(R"({"thought":false,"text":"x"})", "STOP"), RowFailure::none, "x"},
          {200, candidate(text, "MAX_TOKENS"), RowFailure::truncated, "a\n"},
          {200, candidate(thought, "MAX_TOKENS"), RowFailure::truncated, ""},
          {200, candidate(text, "CONTINUATION"), RowFailure::truncated, "a\n"},
          {200, candidate(text, "SAFETY"), RowFailure::content_filtered, "a\n"},
          {200, candidate("", "PROHIBITED_CONTENT"), RowFailure::content_filtered, ""},
          {200, candidate("", "RECITATION"), RowFailure::content_filtered, ""},
          {200, candidate("", "MALFORMED_RESPONSE"), RowFailure::server_error, ""},
          {200, candidate(text, "SOMETHING_NEW"), RowFailure::protocol_error, "a\n"},
          {200, candidate("", "STOP"), RowFailure::empty_answer, ""},
          {200, R"({"candidates":[{"finishReason":"MAX_TOKENS"}]})", RowFailure::truncated, ""},
          {200,
           R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}})",
           RowFailure::content_filtered,
           ""},
          {200, R"({"usageMetadata":{"promptTokenCount":3}})", RowFailure::protocol_error, ""},
          {200, R"({"candidates":[]})", RowFailure::protocol_error, ""},
          {200, error(500, "INTERNAL", "x"), RowFailure::server_error, ""},
      });
  CHECK_THAT(decoded(*provider, 200, R"({"promptFeedback":{"blockReason":"SAFETY"}})").message,
             ContainsSubstring("refuses the prompt"));
}

TEST_CASE("Gemini's thoughts count as output", "[gemini]") {
  const auto provider = make_gemini_provider(request_for());
  const Usage usage = decoded(*provider, 200, candidate(R"({"text":"a"})", "STOP")).usage;
  CHECK(usage.input_tokens == 10);
  CHECK(usage.cached_tokens == 4);
  CHECK(usage.output_tokens == 25);
}

TEST_CASE("Gemini's errors are classified", "[gemini]") {
  const std::string bad_key =
      R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"})";
  const std::string minute = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
  const std::string day = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
  const auto provider = make_gemini_provider(request_for());
  check_cases(
      *provider,
      {
          {400, error(400, "INVALID_ARGUMENT", "bad"), RowFailure::bad_request},
          {400, error(400, "INVALID_ARGUMENT", "no", bad_key), RowFailure::auth_refused, "", true},
          {400, error(400, "FAILED_PRECONDITION", "region"), RowFailure::auth_refused, "", true},
          {400,
           error(400,
                 "INVALID_ARGUMENT",
                 "The input token count (9) exceeds the maximum number of tokens allowed (8)."),
           RowFailure::context_too_long},
          {403, error(403, "PERMISSION_DENIED", "no"), RowFailure::auth_refused, "", true},
          {404, error(404, "NOT_FOUND", "no model"), RowFailure::bad_request},
          {429, error(429, "RESOURCE_EXHAUSTED", "slow", minute), RowFailure::rate_limited},
          {429,
           error(429, "RESOURCE_EXHAUSTED", "day", minute + "," + day),
           RowFailure::quota_exhausted,
           "",
           true},
          {429,
           error(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0, model: m"),
           RowFailure::quota_exhausted,
           "",
           true},
          {429, error(429, "RESOURCE_EXHAUSTED", "limit: 0.5"), RowFailure::rate_limited},
          {429, error(429, "RESOURCE_EXHAUSTED", "limit: 05"), RowFailure::rate_limited},
          {500, error(500, "INTERNAL", "x"), RowFailure::server_error},
          {503, error(503, "UNAVAILABLE", "x"), RowFailure::overloaded},
          {504, error(504, "DEADLINE_EXCEEDED", "x"), RowFailure::server_error},
          {429,
           "[" + error(429, "RESOURCE_EXHAUSTED", "x", day) + "]",
           RowFailure::quota_exhausted,
           "",
           true},
      });
}

TEST_CASE("Gemini tells in the body how long to wait", "[gemini]") {
  struct Case {
    std::string delay;
    std::optional<std::int64_t> wait_ms;
  };

  const auto provider = make_gemini_provider(request_for());
  for (const auto& c : std::vector<Case>{{"46s", 46'000},
                                         {"17.5s", 17'500},
                                         {"0s", 0},
                                         {"36917s", 36'917'000},
                                         {"-1s", std::nullopt},
                                         {"1e300s", std::nullopt},
                                         {"nans", std::nullopt},
                                         {"s", std::nullopt},
                                         {"", std::nullopt},
                                         {"46", std::nullopt}}) {
    CAPTURE(c.delay);
    CHECK(decoded(*provider, 429, error(429, "RESOURCE_EXHAUSTED", "x", retry_in(c.delay)))
              .retry_after_ms == c.wait_ms);
  }
}

TEST_CASE("an answer of Gemini's that is cut off anywhere is none", "[gemini]") {
  const auto provider = make_gemini_provider(request_for());
  const std::string whole = candidate(R"({"text":"a {}"})", "STOP");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decoded(*provider, 200, whole.substr(0, size)).failure == RowFailure::protocol_error);
  }
}

TEST_CASE("Gemini's families think in their own ways", "[gemini]") {
  const ModelCatalog& catalog = ModelCatalog::built_in();
  CHECK(catalog.traits_of({"gemini", "gemini-3.5-flash"}).effort == "thinkingConfig.thinkingLevel");
  CHECK(catalog.traits_of({"gemini", "gemini-2.5-flash"}).effort ==
        "thinkingConfig.thinkingBudget");
  CHECK(catalog.traits_of({"gemini", "gemma-4-31b-it"}).effort.empty());
}
