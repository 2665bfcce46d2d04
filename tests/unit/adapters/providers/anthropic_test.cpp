// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/anthropic.h"

#include "adapters/providers/model_catalog.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"
#include "tests/support/wire_fixture.h"

using namespace batchllm;
using namespace batchllm::test;

namespace {

constexpr const char* k_dialect = "anthropic";

std::string message(const std::string& content, const std::string& reason) {
  return R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[)" + content +
         R"(],"stop_reason":")" + reason +
         R"(","stop_sequence":null,"stop_details":null,"usage":{"input_tokens":10,)"
         R"("cache_creation_input_tokens":3,"cache_read_input_tokens":5,)"
         R"("cache_creation":{"ephemeral_5m_input_tokens":3},"output_tokens":20}})";
}

std::string error(const std::string& type,
                  const std::string& text,
                  const std::string& details = "null") {
  return R"({"type":"error","error":{"type":")" + type + R"(","message":")" + text +
         R"(","details":)" + details + R"(},"request_id":"req_1"})";
}

}  // namespace

TEST_CASE("messages go where Anthropic wants them", "[anthropic]") {
  Prompt prompt;
  prompt.messages = {{"user", "hi"}};
  CHECK(encoded(k_dialect, request_for(), prompt) ==
        R"({"model":"m","max_tokens":50,"messages":[{"role":"user","content":"hi"}]})");
  CHECK(encoded(k_dialect, request_for(), few_shot_prompt()) ==
        R"({"model":"m","max_tokens":50,"system":"be \"brief\"","messages":[)"
        R"({"role":"user","content":"1+1?"},{"role":"assistant","content":"2"},)"
        "{\"role\":\"user\",\"content\":\"größe\\n\"}]}");
  prompt.messages = {{"system", "a"}, {"user", "hi"}, {"system", "b"}};
  CHECK(encoded(k_dialect, request_for(), prompt) ==
        R"({"model":"m","max_tokens":50,"system":"a\n\nb","messages":[)"
        R"({"role":"user","content":"hi"}]})");
}

TEST_CASE("an image is sent as its bytes or as its address", "[anthropic]") {
  const std::string before =
      R"({"model":"m","max_tokens":50,"messages":[{"role":"user","content":[{"type":"image","source":)";
  const std::string after = R"(},{"type":"text","text":"what is it?"}]}]})";
  CHECK(encoded(k_dialect, request_for(), image_prompt()) ==
        before + R"({"type":"base64","media_type":"image/png","data":"AA=="})" + after);
  CHECK(encoded(k_dialect, request_for(), image_prompt("https://h/a.png")) ==
        before + R"({"type":"url","url":"https://h/a.png"})" + after);
  Prompt wordless = image_prompt();
  wordless.messages.front().text.clear();
  CHECK(encoded(k_dialect, request_for(), wordless) ==
        before + R"({"type":"base64","media_type":"image/png","data":"AA=="}}]}]})");
}

TEST_CASE("settings, schema and effort have their members", "[anthropic]") {
  Prompt prompt;
  prompt.messages = {{"user", "hi"}};
  const std::string messages = R"(,"messages":[{"role":"user","content":"hi"}]})";
  ModelRequest model = request_for();
  model.temperature = 0.25;
  model.traits.effort = "output_config.effort";
  model.traits.seed = "";
  model.effort = "low";
  model.schema = small_schema();
  model.parameters = {{"seed", "7"}, {"top_k", "5"}};
  CHECK(encoded(k_dialect, model, prompt) ==
        R"({"model":"m","max_tokens":50,"temperature":0.25,"output_config":{"format":)"
        R"({"type":"json_schema","schema":{"type":"object"}},"effort":"low"},"top_k":5)" +
            messages);
  model = request_for();
  model.temperature = 0.25;
  model.traits.takes_temperature = false;
  model.traits.schema_mode = SchemaMode::tool;
  model.schema = small_schema();
  CHECK(
      encoded(k_dialect, model, prompt) ==
      R"({"model":"m","max_tokens":50,"tools":[{"name":"answer","input_schema":{"type":"object"}}],)"
      R"("tool_choice":{"type":"tool","name":"answer"})" +
          messages);
}

TEST_CASE("thoughts leave room for the answer", "[anthropic]") {
  struct Case {
    std::string effort;
    std::int64_t max_tokens;
    std::string member;
  };

  for (const auto& c : std::vector<Case>{
           {"low", 16'000, R"("thinking":{"type":"enabled","budget_tokens":1024},)"},
           {"minimal", 16'000, R"("thinking":{"type":"enabled","budget_tokens":1024},)"},
           {"high", 16'000, R"("thinking":{"type":"enabled","budget_tokens":12000},)"},
           {"none", 100, ""},
           {"", 100, ""},
       }) {
    CAPTURE(c.effort);
    ModelRequest model = request_for();
    model.max_tokens = c.max_tokens;
    model.traits.effort = "thinking.budget_tokens";
    model.effort = c.effort;
    CHECK(encoded(k_dialect, model, Prompt{}) == R"({"model":"m","max_tokens":)" +
                                                     std::to_string(c.max_tokens) + "," + c.member +
                                                     R"("messages":[]})");
  }
  ModelRequest model = request_for();
  model.traits.effort = "thinking.budget_tokens";
  model.effort = "low";
  const auto error = thrown_error([&] { make_anthropic_provider(model); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
}

TEST_CASE("a limit of the answer's tokens is required", "[anthropic]") {
  ModelRequest model = request_for();
  model.max_tokens.reset();
  const auto error = thrown_error([&] { make_anthropic_provider(model); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  model.parameters = {{"max_tokens", "9"}};
  CHECK(encoded(k_dialect, model, Prompt{}) == R"({"model":"m","max_tokens":9,"messages":[]})");
}

TEST_CASE("address, version and key are in the endpoint", "[anthropic]") {
  ModelRequest model = request_for("https://api.anthropic.com");
  model.key = "sk-1";
  const HttpEndpoint endpoint = make_anthropic_provider(model)->endpoint();
  CHECK(endpoint.url == "https://api.anthropic.com/v1/messages");
  CHECK(header_of(endpoint, "x-api-key") == "sk-1");
  CHECK(header_of(endpoint, "anthropic-version") == "2023-06-01");
  CHECK(make_anthropic_provider(request_for("http://h/v1"))->endpoint().url ==
        "http://h/v1/messages");
  model.traits.key_header = "Authorization";
  CHECK(header_of(make_anthropic_provider(model)->endpoint(), "Authorization") == "Bearer sk-1");
}

TEST_CASE("Anthropic's answers are told apart", "[anthropic]") {
  const std::string text = R"({"type":"text","text":"a\n"})";
  const std::string thought = R"({"type":"thinking","thinking":"hm","signature":"x"})";
  const auto provider = make_anthropic_provider(request_for());
  check_cases(
      *provider,
      {
          {200, message(text, "end_turn"), RowFailure::none, "a\n"},
          {200, message(text, "stop_sequence"), RowFailure::none, "a\n"},
          {200, message(thought + "," + text + "," + text, "end_turn"), RowFailure::none, "a\na\n"},
          {200, message(text, "max_tokens"), RowFailure::truncated, "a\n"},
          {200, message(thought, "max_tokens"), RowFailure::truncated, ""},
          {200,
           message(text, "model_context_window_exceeded"),
           RowFailure::context_too_long,
           "a\n"},
          {200, message("", "refusal"), RowFailure::refused, ""},
          {200, message("", "end_turn"), RowFailure::empty_answer, ""},
          {200, message(text, "new_reason"), RowFailure::none, "a\n"},
          {200, error("overloaded_error", "Overloaded"), RowFailure::overloaded, ""},
          {200, error("authentication_error", "no"), RowFailure::auth_refused, "", true},
          {200, error("odd_error", "no"), RowFailure::server_error, ""},
      });
  CHECK(decoded(*provider,
                200,
                R"({"content":[],"stop_reason":"refusal","stop_details":{"category":"cyber"}})")
            .message == "the model refused: cyber");
}

TEST_CASE("the arguments of the tool are the answer", "[anthropic]") {
  ModelRequest model = request_for();
  model.traits.schema_mode = SchemaMode::tool;
  const auto provider = make_anthropic_provider(model);
  const std::string call =
      R"({"type":"tool_use","id":"t","name":"answer","input":{"a": [1, "x"]}})";
  check_cases(*provider,
              {{200, message(call, "tool_use"), RowFailure::none, R"({"a": [1, "x"]})"}});
}

TEST_CASE("input tokens are the sum of three counts", "[anthropic]") {
  const auto provider = make_anthropic_provider(request_for());
  const Usage usage =
      decoded(*provider, 200, message(R"({"type":"text","text":"a"})", "end_turn")).usage;
  CHECK(usage.input_tokens == 18);
  CHECK(usage.cached_tokens == 5);
  CHECK(usage.output_tokens == 20);
}

TEST_CASE("Anthropic's errors are classified", "[anthropic]") {
  const auto spent = R"({"error_code":"enforced_spend_limit_reached"})";
  const auto provider = make_anthropic_provider(request_for());
  check_cases(
      *provider,
      {
          {400, error("invalid_request_error", "bad"), RowFailure::bad_request},
          {400,
           error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
           RowFailure::context_too_long},
          {400,
           error("invalid_request_error", "You have reached your specified API usage limits."),
           RowFailure::quota_exhausted,
           "",
           true},
          {400,
           error("invalid_request_error", "Your credit balance is too low to access the API"),
           RowFailure::quota_exhausted,
           "",
           true},
          {401,
           error("authentication_error", "invalid x-api-key"),
           RowFailure::auth_refused,
           "",
           true},
          {402, error("billing_error", "x"), RowFailure::quota_exhausted, "", true},
          {403, error("permission_error", "x"), RowFailure::auth_refused, "", true},
          {404, error("not_found_error", "model: m"), RowFailure::bad_request},
          {409, error("conflict_error", "x"), RowFailure::server_error},
          {413, error("request_too_large", "x"), RowFailure::context_too_long},
          {429, error("rate_limit_error", "x"), RowFailure::rate_limited},
          {429, error("rate_limit_error", "x", spent), RowFailure::quota_exhausted, "", true},
          {429,
           error("rate_limit_error", "x", R"({"error_code":"ramp_limit_exceeded"})"),
           RowFailure::rate_limited},
          {500, error("api_error", "x"), RowFailure::server_error},
          {504, error("timeout_error", "x"), RowFailure::server_error},
          {529, error("overloaded_error", "Overloaded"), RowFailure::overloaded},
      });
}

TEST_CASE("an answer of Anthropic's that is cut off anywhere is none", "[anthropic]") {
  const auto provider = make_anthropic_provider(request_for());
  const std::string whole = message(R"({"type":"text","text":"a {}"})", "end_turn");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decoded(*provider, 200, whole.substr(0, size)).failure == RowFailure::protocol_error);
  }
}

TEST_CASE("Claude's families differ as data", "[anthropic]") {
  const ModelCatalog& catalog = ModelCatalog::built_in();
  const auto traits = [&](const std::string& model) {
    return catalog.traits_of({"anthropic", model});
  };
  CHECK(traits("claude-sonnet-4-5").takes_temperature);
  CHECK(traits("claude-opus-4-6").takes_temperature);
  CHECK_FALSE(traits("claude-opus-4-7").takes_temperature);
  CHECK_FALSE(traits("claude-sonnet-5-5").takes_temperature);
  CHECK_FALSE(catalog.traits_of({"bedrock", "us.anthropic.claude-opus-5-5"}).takes_temperature);
  CHECK(traits("claude-sonnet-5").effort == "output_config.effort");
  CHECK(traits("claude-sonnet-4-5").effort == "thinking.budget_tokens");
  CHECK(traits("claude-3-haiku-20240307").max_output_tokens == 4096);
  CHECK(traits("claude-sonnet-4-20250514").schema_mode == SchemaMode::tool);
  CHECK(traits("claude-sonnet-5").limit_is_required);
}
