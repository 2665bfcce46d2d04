// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/responses.h"

#include "adapters/providers/model_catalog.h"
#include "tests/support/catch.h"
#include "tests/support/wire_fixture.h"

using namespace batchllm;
using namespace batchllm::test;

namespace {

constexpr const char* k_dialect = "responses";

std::string response(const std::string& parts,
                     const std::string& status = "completed",
                     const std::string& reason = "") {
  const std::string details = reason.empty() ? "null" : R"({"reason":")" + reason + "\"}";
  return R"({"id":"resp_1","object":"response","status":")" + status +
         R"(","error":null,"incomplete_details":)" + details +
         R"(,"output":[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],)"
         R"("content":[{"type":"reasoning_text","text":"hm"}]},{"type":"message","role":"assistant",)"
         R"("status":"completed","content":[)" +
         parts +
         R"(]}],"usage":{"input_tokens":24,"input_tokens_details":{"cached_tokens":8},)"
         R"("output_tokens":15,"output_tokens_details":{"reasoning_tokens":9},"total_tokens":39}})";
}

std::string failed(const std::string& code) {
  return R"({"id":"resp_1","status":"failed","error":{"code":")" + code +
         R"(","message":"it failed"},"output":[]})";
}

const std::string k_text = R"({"type":"output_text","text":"a\n","annotations":[]})";

}  // namespace

TEST_CASE("input goes where the responses API wants it", "[responses]") {
  ModelRequest model = request_for();
  model.max_tokens.reset();
  Prompt prompt;
  prompt.messages = {{"user", "hi"}};
  CHECK(encoded(k_dialect, model, prompt) ==
        R"({"model":"m","input":[{"role":"user","content":"hi"}],"store":false})");
  CHECK(encoded(k_dialect, request_for(), few_shot_prompt()) ==
        R"({"model":"m","instructions":"be \"brief\"","input":[)"
        R"({"role":"user","content":"1+1?"},{"role":"assistant","content":"2"},)"
        "{\"role\":\"user\",\"content\":\"größe\\n\"}],"
        R"("store":false,"max_output_tokens":50})");
  CHECK(
      encoded(k_dialect, model, image_prompt("https://h/a.png")) ==
      R"({"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"what is it?"},)"
      R"({"type":"input_image","image_url":"https://h/a.png"}]}],"store":false})");
}

TEST_CASE("the schema of a response is flat", "[responses]") {
  ModelRequest model = request_for();
  model.temperature = 1;
  model.schema = small_schema();
  model.effort = "low";
  model.traits.effort = "reasoning.effort";
  model.traits.seed = "";
  model.parameters = {{"seed", "7"}, {"store", "true"}};
  CHECK(
      encoded(k_dialect, model, Prompt{}) ==
      R"({"model":"m","input":[],"temperature":1,"max_output_tokens":50,"reasoning":{"effort":"low"},)"
      R"("text":{"format":{"type":"json_schema","name":"answer","schema":{"type":"object"}}},)"
      R"("store":true})");
  model = request_for();
  model.max_tokens.reset();
  model.schema = small_schema();
  model.traits.schema_mode = SchemaMode::tool;
  CHECK(encoded(k_dialect, model, Prompt{}) ==
        R"({"model":"m","input":[],"store":false,"tools":[{"type":"function","name":"answer",)"
        R"("parameters":{"type":"object"}}],"tool_choice":{"type":"function","name":"answer"}})");
}

TEST_CASE("responses of status 200 are told apart", "[responses]") {
  const std::string refusal = R"({"type":"refusal","refusal":"I cannot"})";
  const auto provider = make_responses_provider(request_for());
  check_cases(
      *provider,
      {
          {200, response(k_text), RowFailure::none, "a\n"},
          {200, response(k_text + "," + k_text), RowFailure::none, "a\na\n"},
          {200, response(refusal), RowFailure::refused, ""},
          {200, response(k_text, "incomplete", "max_output_tokens"), RowFailure::truncated, "a\n"},
          {200, response("", "incomplete", "max_output_tokens"), RowFailure::truncated, ""},
          {200,
           response(k_text, "incomplete", "content_filter"),
           RowFailure::content_filtered,
           "a\n"},
          {200, response(k_text, "incomplete"), RowFailure::truncated, "a\n"},
          {200, response("", "queued"), RowFailure::protocol_error, ""},
          {200, response(R"({"type":"output_text","text":""})"), RowFailure::empty_answer, ""},
          {200, R"({"status":"completed","output":[]})", RowFailure::protocol_error, ""},
          {200, failed("server_error"), RowFailure::server_error, ""},
          {200, failed("rate_limit_exceeded"), RowFailure::rate_limited, ""},
          {200, failed("insufficient_quota"), RowFailure::quota_exhausted, "", true},
          {200, failed("invalid_prompt"), RowFailure::bad_request, ""},
          {200, failed("image_too_large"), RowFailure::bad_request, ""},
          {200,
           R"({"incomplete_details":{"reason":"max_output_tokens"},"status":"incomplete","output":[]})",
           RowFailure::truncated,
           ""},
      });
  const Usage usage = decoded(*provider, 200, response(k_text)).usage;
  CHECK(usage.input_tokens == 24);
  CHECK(usage.cached_tokens == 8);
  CHECK(usage.output_tokens == 15);
}

TEST_CASE("errors of the responses API are those of chat completions", "[responses]") {
  const auto provider = make_responses_provider(request_for());
  const auto error = [](const std::string& code) {
    return R"({"error":{"message":"no","type":"invalid_request_error","param":null,"code":")" +
           code + "\"}}";
  };
  check_cases(*provider,
              {
                  {400, error("context_length_exceeded"), RowFailure::context_too_long},
                  {400, error("unsupported_parameter"), RowFailure::bad_request},
                  {401, error("invalid_api_key"), RowFailure::auth_refused, "", true},
                  {429, error("rate_limit_exceeded"), RowFailure::rate_limited},
                  {429, error("insufficient_quota"), RowFailure::quota_exhausted, "", true},
                  {503, error("x"), RowFailure::overloaded},
              });
}

TEST_CASE("the arguments of a called function are the answer", "[responses]") {
  ModelRequest model = request_for();
  model.traits.schema_mode = SchemaMode::tool;
  const auto provider = make_responses_provider(model);
  check_cases(*provider,
              {{200,
                R"({"status":"completed","output":[{"type":"function_call","name":"answer",)"
                R"("arguments":"{\"a\":1}"}]})",
                RowFailure::none,
                R"({"a":1})"}});
}

TEST_CASE("a response that is cut off anywhere is no answer", "[responses]") {
  const auto provider = make_responses_provider(request_for());
  const std::string whole = response(k_text);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decoded(*provider, 200, whole.substr(0, size)).failure == RowFailure::protocol_error);
  }
}

TEST_CASE("OpenAI's models are asked through either API", "[responses]") {
  const ModelCatalog& catalog = ModelCatalog::built_in();
  const ProviderEntry* provider = catalog.find_provider("openai-responses");
  REQUIRE(provider != nullptr);
  CHECK(provider->price_list == "openai");
  CHECK(catalog.find_provider("openai")->price_list.empty());
  CHECK_FALSE(catalog.traits_of({"openai-responses", "gpt-5-pro"}).takes_temperature);
  CHECK(catalog.traits_of({"openai-responses", "gpt-5-pro"}).effort == "reasoning.effort");
  const ModelRequest model = request_for("https://api.openai.com/v1");
  CHECK(make_responses_provider(model)->endpoint().url == "https://api.openai.com/v1/responses");
}
