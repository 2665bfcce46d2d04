// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/bedrock.h"

#include "adapters/providers/base_url.h"
#include "adapters/providers/model_catalog.h"
#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"
#include "tests/support/wire_fixture.h"

using namespace batchllm;
using namespace batchllm::test;

namespace {

constexpr const char* k_dialect = "bedrock";

EnvironmentLookup keys(const std::string& token = "") {
  return [token](const std::string& name) -> std::optional<std::string> {
    if (name == "AWS_ACCESS_KEY_ID") {
      return "AKID";
    }
    if (name == "AWS_SESSION_TOKEN") {
      return token;
    }
    return name == "AWS_SECRET_ACCESS_KEY" ? std::optional<std::string>("secret") : std::nullopt;
  };
}

ModelRequest signed_request(EnvironmentLookup environment) {
  ModelRequest model = request_for("https://bedrock-runtime.eu-central-1.amazonaws.com");
  model.model = "us.amazon.nova-lite-v1:0";
  model.is_sent = true;
  model.environment = std::move(environment);
  return model;
}

std::string converse(const std::string& content, const std::string& reason) {
  return R"({"metrics":{"latencyMs":1},"output":{"message":{"role":"assistant","content":[)" +
         content + R"(]}},"stopReason":")" + reason +
         R"(","usage":{"inputTokens":10,"outputTokens":20,"totalTokens":38,"cacheReadInputTokens":5,)"
         R"("cacheWriteInputTokens":3}})";
}

}  // namespace

TEST_CASE("messages go where Converse wants them", "[bedrock]") {
  ModelRequest model = request_for();
  model.max_tokens.reset();
  Prompt prompt;
  prompt.messages = {{"user", "hi"}};
  CHECK(encoded(k_dialect, model, prompt) ==
        R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})");
  CHECK(
      encoded(k_dialect, request_for(), few_shot_prompt()) ==
      R"({"system":[{"text":"be \"brief\""}],"messages":[{"role":"user","content":[{"text":"1+1?"}]},)"
      R"({"role":"assistant","content":[{"text":"2"}]},)"
      "{\"role\":\"user\",\"content\":[{\"text\":\"größe\\n\"}]}],"
      R"("inferenceConfig":{"maxTokens":50}})");
  CHECK(
      encoded(k_dialect, model, image_prompt()) ==
      R"({"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"AA=="}}},)"
      R"({"text":"what is it?"}]}]})");
  CHECK(
      encoded(k_dialect, model, image_prompt("s3://b/a.jpg")) ==
      R"({"messages":[{"role":"user","content":[{"image":{"format":"jpeg","source":{"s3Location":)"
      R"({"uri":"s3://b/a.jpg"}}}},{"text":"what is it?"}]}]})");
}

TEST_CASE("Converse takes a schema as a string, and what is the model's own apart", "[bedrock]") {
  ModelRequest model = request_for();
  model.temperature = 0.5;
  model.effort = "low";
  model.traits.effort = "reasoning_effort";
  model.traits.seed = "";
  model.schema = small_schema();
  model.parameters = {
      {"seed", "7"}, {"topP", "0.9"}, {"top_k", "5"}, {"serviceTier", R"({"type":"flex"})"}};
  CHECK(
      encoded(k_dialect, model, Prompt{}) ==
      R"({"messages":[],"inferenceConfig":{"maxTokens":50,"temperature":0.5,"topP":0.9},)"
      R"("outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"answer",)"
      R"("schema":"{\"type\":\"object\"}"}}}},"additionalModelRequestFields":{"reasoning_effort":"low",)"
      R"("top_k":5},"serviceTier":{"type":"flex"}})");
  model = request_for();
  model.max_tokens.reset();
  model.schema = small_schema();
  model.traits.schema_mode = SchemaMode::tool;
  CHECK(
      encoded(k_dialect, model, Prompt{}) ==
      R"({"messages":[],"toolConfig":{"tools":[{"toolSpec":{"name":"answer","inputSchema":{"json":)"
      R"({"type":"object"}}}}],"toolChoice":{"tool":{"name":"answer"}}}})");
}

TEST_CASE("a Bedrock key is a bearer token, without one requests are signed", "[bedrock]") {
  ModelRequest model = signed_request(keys());
  const std::string url =
      "https://bedrock-runtime.eu-central-1.amazonaws.com/model/us.amazon.nova-lite-v1%3A0/"
      "converse";
  const HttpEndpoint signing = make_bedrock_provider(model)->endpoint();
  CHECK(signing.url == url);
  REQUIRE(signing.sign);
  CHECK(header_of(signing, "Authorization").empty());
  HttpEndpoint one;
  one.headers = signing.sign("body");
  CHECK_THAT(header_of(one, "Authorization"), ContainsSubstring("Credential=AKID/"));
  CHECK_THAT(
      header_of(one, "Authorization"),
      ContainsSubstring("/eu-central-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, "));
  CHECK(header_of(one, "X-Amz-Security-Token").empty());
  model.key = "k";
  const HttpEndpoint bearing = make_bedrock_provider(model)->endpoint();
  CHECK_FALSE(bearing.sign);
  CHECK(header_of(bearing, "Authorization") == "Bearer k");
}

TEST_CASE("without credentials nothing is sent to Bedrock, and a dry run needs none", "[bedrock]") {
  const auto none = [](const std::string& name) -> std::optional<std::string> {
    return name == "AWS_EC2_METADATA_DISABLED" ? std::optional<std::string>("true") : std::nullopt;
  };
  ModelRequest model = signed_request(none);
  const auto error = thrown_error([&] { make_bedrock_provider(model); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::key_missing);
  model.is_sent = false;
  CHECK_NOTHROW(make_bedrock_provider(model));
}

TEST_CASE("a session token that AWS repeats is masked", "[bedrock]") {
  const auto provider = make_bedrock_provider(signed_request(keys("token-0123456789")));
  const DecodedAnswer answer = decoded(
      *provider,
      403,
      R"({"message":"The signature does not match. x-amz-security-token:token-0123456789 and so on"})");
  CHECK(answer.message.find("token-0123") == std::string::npos);
  CHECK_THAT(answer.message, ContainsSubstring("***"));
}

TEST_CASE("Bedrock's region comes from where AWS' tools find it", "[bedrock]") {
  const ScratchFolder folder;
  const std::string config = folder.write("config", "[default]\nregion = eu-north-1\n");
  const ProviderEntry* bedrock = ModelCatalog::built_in().find_provider("bedrock");
  REQUIRE(bedrock != nullptr);
  CHECK(bedrock->key_is_optional);
  const auto url = [&](const std::string& region) {
    return expand_base_url(bedrock->base_url,
                           find_dialect(k_dialect)->with_defaults(
                               [&](const std::string& name) -> std::optional<std::string> {
                                 if (name == "AWS_CONFIG_FILE") {
                                   return config;
                                 }
                                 return name == "AWS_DEFAULT_REGION" && !region.empty()
                                            ? std::optional(region)
                                            : std::nullopt;
                               }));
  };
  CHECK(url("") == "https://bedrock-runtime.eu-north-1.amazonaws.com");
  CHECK(url("us-east-2") == "https://bedrock-runtime.us-east-2.amazonaws.com");
}

TEST_CASE("Bedrock's answers are told apart", "[bedrock]") {
  const std::string text = R"({"text":"a\n"})";
  const std::string thought = R"({"reasoningContent":{"reasoningText":{"text":"hm"}}})";
  const auto provider = make_bedrock_provider(request_for());
  check_cases(
      *provider,
      {
          {200, converse(text, "end_turn"), RowFailure::none, "a\n"},
          {200,
           converse(thought + "," + text + "," + text, "stop_sequence"),
           RowFailure::none,
           "a\na\n"},
          {200, converse(text, "max_tokens"), RowFailure::truncated, "a\n"},
          {200, converse(text, "guardrail_intervened"), RowFailure::content_filtered, "a\n"},
          {200, converse("", "content_filtered"), RowFailure::content_filtered, ""},
          {200, converse("", "malformed_model_output"), RowFailure::server_error, ""},
          {200, converse("", "model_context_window_exceeded"), RowFailure::context_too_long, ""},
          {200, converse("", "end_turn"), RowFailure::empty_answer, ""},
          {200, R"({"output":{}})", RowFailure::protocol_error, ""},
          {200, R"({"message":"odd"})", RowFailure::server_error, ""},
      });
  const Usage usage = decoded(*provider, 200, converse(text, "end_turn")).usage;
  CHECK(usage.input_tokens == 18);
  CHECK(usage.cached_tokens == 5);
  CHECK(usage.output_tokens == 20);
  ModelRequest model = request_for();
  model.traits.schema_mode = SchemaMode::tool;
  const auto with_tool = make_bedrock_provider(model);
  check_cases(
      *with_tool,
      {{200,
        converse(R"({"toolUse":{"toolUseId":"t","name":"answer","input":{"a":1}}})", "tool_use"),
        RowFailure::none,
        R"({"a":1})"}});
}

TEST_CASE("the type of Bedrock's errors is in a header", "[bedrock]") {
  const auto error = [](const std::string& message) { return R"({"message":")" + message + "\"}"; };
  const auto provider = make_bedrock_provider(request_for());
  check_cases(
      *provider,
      {
          {400, error("bad"), RowFailure::bad_request, "", false, "ValidationException"},
          {400,
           error("Input is too long for requested model."),
           RowFailure::context_too_long,
           "",
           false,
           "ValidationException"},
          {400, error("x"), RowFailure::rate_limited, "", false, "ServiceQuotaExceededException"},
          {403, error("x"), RowFailure::auth_refused, "", true, "AccessDeniedException"},
          {404, error("x"), RowFailure::bad_request, "", false, "ResourceNotFoundException"},
          {408, error("x"), RowFailure::timeout, "", false, "ModelTimeoutException"},
          {424, error("x"), RowFailure::server_error, "", false, "ModelErrorException"},
          {429,
           error("Too many tokens, please wait before trying again."),
           RowFailure::rate_limited,
           "",
           false,
           "ThrottlingException"},
          {429,
           error("Too many tokens per day, please wait."),
           RowFailure::quota_exhausted,
           "",
           true,
           "ThrottlingException"},
          {429, error("x"), RowFailure::overloaded, "", false, "ModelNotReadyException"},
          {500, error("x"), RowFailure::server_error, "", false, "InternalServerException"},
          {503, error("x"), RowFailure::overloaded, "", false, "ServiceUnavailableException"},
      });
}

TEST_CASE("an answer of Bedrock's that is cut off anywhere is none", "[bedrock]") {
  const auto provider = make_bedrock_provider(request_for());
  const std::string whole = converse(R"({"text":"a {}"})", "end_turn");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decoded(*provider, 200, whole.substr(0, size)).failure == RowFailure::protocol_error);
  }
}
