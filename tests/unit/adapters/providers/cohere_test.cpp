// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/cohere.h"

#include "tests/support/catch.h"
#include "tests/support/wire_fixture.h"

using namespace batchllm;
using namespace batchllm::test;

namespace {

constexpr const char* k_dialect = "cohere";

std::string reply(const std::string& content, const std::string& reason) {
  return R"({"id":"c","message":{"role":"assistant","content":[)" + content +
         R"(]},"finish_reason":")" + reason +
         R"(","usage":{"billed_units":{"input_tokens":21,"output_tokens":93},)"
         R"("tokens":{"input_tokens":186,"output_tokens":93},"cached_tokens":16}})";
}

}  // namespace

TEST_CASE("messages go where Cohere wants them", "[cohere]") {
  ModelRequest model = request_for();
  model.max_tokens.reset();
  Prompt prompt;
  prompt.messages = {{"user", "hi"}};
  CHECK(encoded(k_dialect, model, prompt) ==
        R"({"model":"m","messages":[{"role":"user","content":"hi"}]})");
  CHECK(encoded(k_dialect, request_for(), few_shot_prompt()) ==
        R"({"model":"m","messages":[{"role":"system","content":"be \"brief\""},)"
        R"({"role":"user","content":"1+1?"},{"role":"assistant","content":"2"},)"
        "{\"role\":\"user\",\"content\":\"größe\\n\"}],\"max_tokens\":50}");
  CHECK(
      encoded(k_dialect, model, image_prompt("https://h/a.png")) ==
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"what is it?"},)"
      R"({"type":"image_url","image_url":{"url":"https://h/a.png"}}]}]})");
}

TEST_CASE("settings, schema and thoughts have their members at Cohere", "[cohere]") {
  ModelRequest model = request_for();
  model.temperature = 0.5;
  model.schema = small_schema();
  model.effort = "low";
  model.traits.effort = "thinking.token_budget";
  model.parameters = {{"seed", "7"}, {"p", "0.9"}};
  CHECK(
      encoded(k_dialect, model, Prompt{}) ==
      R"({"model":"m","messages":[],"temperature":0.5,"max_tokens":50,)"
      R"("thinking":{"type":"enabled","token_budget":1024},)"
      R"("response_format":{"type":"json_object","json_schema":{"type":"object"}},"seed":7,"p":0.9})");
  model = request_for();
  model.effort = "none";
  model.traits.effort = "thinking.token_budget";
  CHECK(encoded(k_dialect, model, Prompt{}) ==
        R"({"model":"m","messages":[],"max_tokens":50,"thinking":{"type":"disabled"}})");
  model.key = "k";
  const HttpEndpoint endpoint = make_cohere_provider(model)->endpoint();
  CHECK(endpoint.url == "http://h/v2/chat");
  CHECK(header_of(endpoint, "Authorization") == "Bearer k");
  CHECK(make_cohere_provider(request_for("http://h/v2"))->endpoint().url == "http://h/v2/chat");
}

TEST_CASE("Cohere's answers and errors are told apart", "[cohere]") {
  const std::string text = R"({"type":"text","text":"a\n"})";
  const std::string thought = R"({"type":"thinking","thinking":"hm"})";
  const auto error = [](const std::string& message) {
    return R"({"id":"e","message":")" + message + "\"}";
  };
  const auto provider = make_cohere_provider(request_for());
  check_cases(
      *provider,
      {
          {200, reply(thought + "," + text + "," + text, "COMPLETE"), RowFailure::none, "a\na\n"},
          {200, reply(text, "STOP_SEQUENCE"), RowFailure::none, "a\n"},
          {200, reply(text, "MAX_TOKENS"), RowFailure::truncated, "a\n"},
          {200, reply(thought, "MAX_TOKENS"), RowFailure::truncated, ""},
          {200, reply(text, "ERROR"), RowFailure::server_error, "a\n"},
          {200, reply("", "TIMEOUT"), RowFailure::server_error, ""},
          {200, reply("", "COMPLETE"), RowFailure::empty_answer, ""},
          {200, error("odd"), RowFailure::server_error, ""},
          {400, error("invalid request: x"), RowFailure::bad_request},
          {400,
           error("too many tokens: total number of tokens in the prompt cannot exceed 9 - received "
                 "10"),
           RowFailure::context_too_long},
          {400,
           error("too many tokens: max tokens must be less than or equal to 4096"),
           RowFailure::bad_request},
          {401, error("invalid api token"), RowFailure::auth_refused, "", true},
          {402, error("billing limit"), RowFailure::quota_exhausted, "", true},
          {404, error("model 'm' not found"), RowFailure::bad_request},
          {429, error("trial token rate limit exceeded"), RowFailure::rate_limited},
          {429,
           error("You are using a Trial key, which is limited to 40 API calls / minute."),
           RowFailure::rate_limited},
          {429,
           error("You are using a Trial key, which is limited to 1000 API calls / month."),
           RowFailure::quota_exhausted,
           "",
           true},
          {498, error("blocked output"), RowFailure::content_filtered},
          {500, error("x"), RowFailure::server_error},
          {503, error("x"), RowFailure::overloaded},
      });
  const Usage usage = decoded(*provider, 200, reply(text, "COMPLETE")).usage;
  CHECK(usage.input_tokens == 21);
  CHECK(usage.output_tokens == 93);
  CHECK(usage.cached_tokens == 16);
}

TEST_CASE("an answer of Cohere's that is cut off anywhere is none", "[cohere]") {
  const auto provider = make_cohere_provider(request_for());
  const std::string whole = reply(R"({"type":"text","text":"a {}"})", "COMPLETE");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decoded(*provider, 200, whole.substr(0, size)).failure == RowFailure::protocol_error);
  }
}
