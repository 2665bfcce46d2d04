// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/openai.h"

#include "adapters/providers/base_url.h"
#include "adapters/providers/model_catalog.h"
#include "core/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"
#include "tests/support/wire_fixture.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace batchllm;
using namespace batchllm::test;

namespace {

ModelRequest model_of(std::string key = {}) {
  ModelRequest model;
  model.model = "m";
  model.base_url = "http://h/v1";
  model.key = std::move(key);
  model.traits.token_limit = "max_tokens";
  return model;
}

struct Decoded {
  RowFailure failure;
  std::string text;
  std::string message;
  Usage usage;
  bool stops_run;
};

Decoded decode(int status, std::string body, const std::string& key = {}) {
  const auto provider = make_openai_provider(model_of(key));
  const std::size_t size = body.size();
  body.resize(size + 64);
  HttpResponse response;
  response.status = status;
  response.body = body.data();
  response.body_size = size;
  const Answer answer = provider->decode(response);
  return {answer.failure, std::string(answer.text), answer.message, answer.usage, answer.stops_run};
}

std::string encoded(const ModelRequest& model, const Prompt& prompt) {
  return test::encoded("openai", model, prompt);
}

std::string choice(const std::string& message, const std::string& reason = "\"stop\"") {
  return R"({"id":"c","choices":[{"index":0,"message":)" + message + R"(,"finish_reason":)" +
         reason +
         R"(}],"usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":2}}})";
}

}  // namespace

TEST_CASE("requests are written as the API wants them", "[openai]") {
  Prompt prompt;
  prompt.messages = {{"system", "be \"brief\""}, {"user", "größe\n\x01"}};
  CHECK(encoded(model_of(), prompt) ==
        R"({"model":"m","messages":[{"role":"system","content":"be \"brief\""},)"
        "{\"role\":\"user\",\"content\":\"größe\\n\\u0001\"}]}");
  ModelRequest model = model_of();
  model.model = "a/\"b\"";
  model.temperature = 0;
  model.max_tokens = 50;
  model.traits.token_limit = "max_completion_tokens";
  model.parameters = {{"response_format", R"({"type":"json_object"})"}, {"top_p", "0.5"}};
  prompt.messages = {{"user", ""}};
  CHECK(encoded(model, prompt) ==
        R"({"model":"a/\"b\"","messages":[{"role":"user","content":""}],"temperature":0,)"
        R"("max_completion_tokens":50,"response_format":{"type":"json_object"},"top_p":0.5})");
}

TEST_CASE("an image goes with the user's last message", "[openai]") {
  Prompt prompt;
  prompt.messages = {
      {"user", "first"}, {"assistant", "hm"}, {"user", "what is it?"}, {"assistant", "a"}};
  prompt.attachments = {{Attachment::Kind::image, "data:image/png;base64,AA=="}};
  CHECK(
      encoded(model_of(), prompt) ==
      R"({"model":"m","messages":[{"role":"user","content":"first"},{"role":"assistant","content":"hm"},)"
      R"({"role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":)"
      R"({"url":"data:image/png;base64,AA=="}}]},{"role":"assistant","content":"a"}]})");
}

TEST_CASE("the key goes into a header, never into the body", "[openai]") {
  const HttpEndpoint endpoint = make_openai_provider(model_of("sk-1"))->endpoint();
  CHECK(endpoint.url == "http://h/v1/chat/completions");
  REQUIRE(endpoint.headers.size() == 2);
  CHECK(endpoint.headers[1].second == "Bearer sk-1");
  CHECK(make_openai_provider(model_of())->endpoint().headers.size() == 1);
}

TEST_CASE("every kind of completion is told apart", "[openai]") {
  struct Case {
    std::string body;
    RowFailure failure;
    std::string text;
  };

  const std::string parts =
      R"({"content":[{"type":"text","text":"a"},{"type":"x"},{"type":"text","text":"b"}]})";
  const std::vector<Case> cases = {
      {choice(R"({"role":"assistant","content":"praise"})"), RowFailure::none, "praise"},
      {choice(R"({"content":"a\"\u00e9\n"})"), RowFailure::none, "a\"é\n"},
      {choice(R"({"content":"x","refusal":null})"), RowFailure::none, "x"},
      {choice(parts), RowFailure::none, "ab"},
      {choice(R"({"content":"cut"})", "\"length\""), RowFailure::truncated, "cut"},
      {choice(R"({"content":""})", "\"length\""), RowFailure::truncated, ""},
      {choice(R"({"content":"x"})", "\"content_filter\""), RowFailure::content_filtered, "x"},
      {choice(R"({"content":null,"refusal":"I cannot"})"), RowFailure::refused, ""},
      {choice(R"({"content":null})", "\"tool_calls\""), RowFailure::empty_answer, ""},
      {choice(R"({"content":""})"), RowFailure::empty_answer, ""},
      {choice(R"({"content":" \n "})"), RowFailure::empty_answer, " \n "},
      {choice(R"({})"), RowFailure::empty_answer, ""},
      {choice(R"({"content":"x"})", "null"), RowFailure::none, "x"},
      {R"({"choices":[{"finish_reason":"stop","message":{"content":"x"}}]})",
       RowFailure::none,
       "x"},
      {R"({"choices":[{"message":{"content":"1"}},{"message":{"content":"2"}}]})",
       RowFailure::none,
       "1"},
      {R"({"choices":[]})", RowFailure::protocol_error, ""},
      {R"({"choices":{}})", RowFailure::protocol_error, ""},
      {R"({})", RowFailure::protocol_error, ""},
      {R"([])", RowFailure::protocol_error, ""},
      {"", RowFailure::protocol_error, ""},
      {"<html>Bad gateway</html>", RowFailure::protocol_error, ""},
      {R"({"error":{"message":"overloaded","code":500}})", RowFailure::server_error, ""},
      {R"({"error":"busy"})", RowFailure::server_error, ""},
      {"  " + choice(R"({"content":"x"})") + "\n", RowFailure::none, "x"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.body);
    const Decoded decoded = decode(200, c.body);
    CHECK(failure_name(decoded.failure) == failure_name(c.failure));
    CHECK_FALSE(decoded.stops_run);
    CHECK(decoded.message.empty() == (c.failure == RowFailure::none));
    if (c.failure != RowFailure::protocol_error) {
      CHECK(decoded.text == c.text);
    }
  }
}

TEST_CASE("usage is read, whatever it looks like", "[openai]") {
  const Usage usage = decode(200, choice(R"({"content":"x"})")).usage;
  CHECK(usage.input_tokens == 7);
  CHECK(usage.output_tokens == 3);
  CHECK(usage.cached_tokens == 2);
  for (const char* odd : {"null",
                          "[]",
                          R"({"prompt_tokens":"7"})",
                          R"({"prompt_tokens":-5})",
                          R"({"prompt_tokens":7.5})",
                          R"({"prompt_tokens_details":null})"}) {
    CAPTURE(odd);
    const Decoded decoded = decode(
        200, std::string(R"({"choices":[{"message":{"content":"x"}}],"usage":)") + odd + "}");
    CHECK(decoded.failure == RowFailure::none);
    CHECK(decoded.usage.input_tokens == 0);
  }
}

TEST_CASE("a completion cut off anywhere is no answer", "[openai]") {
  const std::string whole = choice(R"({"role":"assistant","content":"pra\"ise {}"})");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decode(200, whole.substr(0, size)).failure == RowFailure::protocol_error);
  }
}

TEST_CASE("deep nesting and long garbage are borne", "[openai]") {
  for (const char* open : {"[", "{\"a\":", "{\"choices\":["}) {
    std::string deep;
    for (int i = 0; i < 20'000; ++i) {
      deep += open;
    }
    CHECK(decode(200, deep).failure == RowFailure::protocol_error);
    CHECK(decode(500, deep).failure == RowFailure::server_error);
    CHECK(decode(500, deep).message.size() < 2500);
  }
}

TEST_CASE("errors are classified by status and body", "[openai]") {
  struct Case {
    int status;
    std::string body;
    RowFailure failure;
    bool stops_run;
  };

  const auto error = [](const std::string& members) { return R"({"error":{)" + members + "}}"; };
  for (const auto& c : std::vector<Case>{
           {400, error(R"("message":"no")"), RowFailure::bad_request, false},
           {400,
            error(R"("message":"x","code":"context_length_exceeded")"),
            RowFailure::context_too_long,
            false},
           {400,
            error(R"("message":"This model's maximum context length is 8192")"),
            RowFailure::context_too_long,
            false},
           {400,
            error(R"("message":"x","code":"content_filter")"),
            RowFailure::content_filtered,
            false},
           {400, error(R"("message":"x","code":400,"type":null)"), RowFailure::bad_request, false},
           {401, error(R"("message":"x")"), RowFailure::auth_refused, true},
           {402, "", RowFailure::quota_exhausted, true},
           {403, "<html>", RowFailure::auth_refused, true},
           {404, error(R"("message":"no such model")"), RowFailure::bad_request, false},
           {408, "", RowFailure::timeout, false},
           {409, "", RowFailure::server_error, false},
           {413, "", RowFailure::context_too_long, false},
           {422, R"({"detail":[{"loc":["body"]}]})", RowFailure::bad_request, false},
           {429, "", RowFailure::rate_limited, false},
           {429,
            error(R"("message":"Rate limit reached","type":"tokens")"),
            RowFailure::rate_limited,
            false},
           {429,
            error(R"("message":"x","code":"insufficient_quota")"),
            RowFailure::quota_exhausted,
            true},
           {429,
            error(R"("message":"x","type":"insufficient_quota")"),
            RowFailure::quota_exhausted,
            true},
           {429,
            error(R"("message":"Request too large for gpt")"),
            RowFailure::context_too_long,
            false},
           {500, "garbage \xff", RowFailure::server_error, false},
           {502, "<html>", RowFailure::server_error, false},
           {503, "", RowFailure::overloaded, false},
           {529, "", RowFailure::overloaded, false},
           {302, "", RowFailure::bad_request, false},
       }) {
    CAPTURE(c.status, c.body);
    const Decoded decoded = decode(c.status, c.body);
    CHECK(failure_name(decoded.failure) == failure_name(c.failure));
    CHECK(decoded.stops_run == c.stops_run);
    CHECK_THAT(decoded.message, ContainsSubstring("HTTP " + std::to_string(c.status)));
    CHECK(decoded.message.find('\n') == std::string::npos);
  }
}

TEST_CASE("the words of other servers of this dialect are known", "[openai]") {
  const auto provider = provider_of("openai", request_for());
  check_cases(
      *provider,
      {
          // Mistral: an answer in parts, errors without an object around them, and lists of them.
          {200,
           R"({"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},)"
           R"({"type":"text","text":"a"}]},"finish_reason":"stop"}]})",
           RowFailure::none,
           "a"},
          {200,
           choice(R"({"content":"x"})", R"("model_length")"),
           RowFailure::context_too_long,
           "x"},
          {401,
           R"({"message":"Unauthorized","request_id":"r"})",
           RowFailure::auth_refused,
           "",
           true},
          {422,
           R"({"object":"error","message":{"detail":[]},"type":"x"})",
           RowFailure::bad_request},
          {429,
           R"({"object":"error","message":"Requests rate limit exceeded","type":"rate_limited","code":"1300"})",
           RowFailure::rate_limited},
          // DeepSeek: blank lines while it waits, cached tokens by a name of its own.
          {200,
           "\n\n\n" + choice(R"({"content":"x","reasoning_content":"hm"})"),
           RowFailure::none,
           "x"},
          {200,
           choice(R"({"content":""})", R"("insufficient_system_resource")"),
           RowFailure::overloaded},
          {402,
           R"({"error":{"message":"Insufficient Balance"}})",
           RowFailure::quota_exhausted,
           "",
           true},
          // OpenRouter: what failed behind it comes with status 200.
          {200,
           R"({"error":{"code":429,"message":"busy","metadata":{"provider_name":"p","error_type":"rate_limit_exceeded"}}})",
           RowFailure::rate_limited},
          {200,
           R"({"choices":[{"message":{"content":""},"finish_reason":"error","error":{"code":502,"message":"up"}}]})",
           RowFailure::server_error},
          {200,
           R"({"error":{"code":402,"message":"no credit"}})",
           RowFailure::quota_exhausted,
           "",
           true},
          {402,
           R"({"error":{"code":402,"message":"x","metadata":{"error_type":"in_flight_budget_exhausted"}}})",
           RowFailure::rate_limited},
          {403,
           R"({"error":{"code":403,"message":"flagged","metadata":{"reasons":["violence"]}}})",
           RowFailure::content_filtered},
          // Groq.
          {400,
           R"({"error":{"message":"no","type":"invalid_request_error","code":"json_validate_failed"}})",
           RowFailure::invalid_answer},
          {498,
           R"({"error":{"message":"full","code":"capacity_exceeded"}})",
           RowFailure::overloaded},
          // Azure.
          {400,
           R"({"error":{"message":"filtered","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
           RowFailure::content_filtered},
          {404,
           R"({"error":{"code":"DeploymentNotFound","message":"x"}})",
           RowFailure::bad_request},
          // llama.cpp and vLLM.
          {400,
           R"({"error":{"code":400,"type":"exceed_context_size_error","message":"x","n_ctx":8192}})",
           RowFailure::context_too_long},
          {503,
           R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})",
           RowFailure::overloaded},
          {200, choice(R"({"content":"x"})", R"("abort")"), RowFailure::server_error, "x"},
      });
  CHECK(
      decoded(*provider,
              200,
              R"({"choices":[{"message":{"content":"x"}}],"usage":{"prompt_cache_hit_tokens":6}})")
          .usage.cached_tokens == 6);
}

TEST_CASE("providers of this dialect differ as data", "[openai]") {
  const ModelCatalog& catalog = ModelCatalog::built_in();
  const auto body = [&catalog](const std::string& provider) {
    ModelRequest model = request_for();
    model.traits = catalog.traits_of({provider, "m"});
    model.effort = "low";
    model.schema = small_schema();
    model.parameters = {{"seed", "7"}};
    return test::encoded("openai", model, Prompt{});
  };
  const std::string start = R"({"model":"m","messages":[],)";
  const std::string schema =
      R"("response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}},)";
  CHECK(body("openai") == start + R"("max_completion_tokens":50,"reasoning_effort":"low",)" +
                              schema + R"("seed":7})");
  CHECK(body("mistral") ==
        start + R"("max_tokens":50,"reasoning_effort":"low",)" + schema + R"("random_seed":7})");
  CHECK(body("deepseek") == start + R"("max_tokens":50,"reasoning_effort":"low",)"
                                    R"("response_format":{"type":"json_object"},"seed":7})");
  CHECK(body("openrouter") == start + R"("max_tokens":50,"reasoning":{"effort":"low"},)" + schema +
                                  R"("provider":{"require_parameters":true},"seed":7})");
  CHECK(body("lmstudio") == start + R"("max_tokens":50,)" + schema + R"("seed":7})");
  CHECK(catalog.traits_of({"llamacpp", "m"}).limit_is_required);
  CHECK_FALSE(catalog.traits_of({"vllm", "m"}).limit_is_required);
}

TEST_CASE("Azure takes its key in a header of its own, in both forms of its addresses",
          "[openai]") {
  const ProviderEntry* azure = ModelCatalog::built_in().find_provider("azure");
  REQUIRE(azure != nullptr);
  ModelRequest model = request_for(expand_base_url(azure->base_url, [](const std::string& name) {
    return name == "AZURE_OPENAI_ENDPOINT"
               ? std::optional<std::string>("https://r.openai.azure.com/")
               : std::nullopt;
  }));
  model.traits = azure->traits;
  model.key = "k";
  const HttpEndpoint endpoint = make_openai_provider(model)->endpoint();
  CHECK(endpoint.url == "https://r.openai.azure.com/openai/v1/chat/completions");
  CHECK(header_of(endpoint, "api-key") == "k");
  CHECK(header_of(endpoint, "Authorization").empty());
  model.base_url = "https://r.openai.azure.com/openai/deployments/d?api-version=2024-10-21";
  CHECK(make_openai_provider(model)->endpoint().url ==
        "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21");
}

TEST_CASE("a base URL takes variables of the environment", "[openai]") {
  const EnvironmentLookup environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "B") {
      return "b/";
    }
    return name == "EMPTY" ? std::optional<std::string>("") : std::nullopt;
  };
  CHECK(expand_base_url("https://h/v1", environment) == "https://h/v1");
  CHECK(expand_base_url("https://{B}.h/{A|EMPTY|B}/v1", environment) == "https://b.h/b/v1");
  CHECK(expand_base_url("https://{B", environment) == "https://{B");
  for (const char* missing : {"{A}", "{}", "{EMPTY|A}", "https://{A}/{B}"}) {
    const auto error = thrown_error([&] { expand_base_url(missing, environment); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::usage);
  }
  const auto error = thrown_error([&] { expand_base_url("{A|C}", environment); });
  CHECK_THAT(error->message(), ContainsSubstring("A or C"));
  CHECK_THROWS_AS(expand_base_url("{A}", {}), Error);
}

TEST_CASE("a key that the server repeats is masked, wherever it stands", "[openai]") {
  const std::string key = "sk-secret-0123456789";
  for (const std::string& body :
       {R"({"error":{"message":"Incorrect API key: )" + key + " " + key + "\"}}",
        "<html>" + key + "</html>",
        R"({"error":{"message":")" + std::string(490, 'x') + key + "\"}}"}) {
    const std::string message = decode(401, body, key).message;
    CHECK(message.find("sk-secret") == std::string::npos);
    CHECK_THAT(message, ContainsSubstring("***"));
  }
  CHECK(decode(200, "not JSON: " + key, key).message.find(key) == std::string::npos);
  CHECK(decode(200, R"({"error":")" + key + "\"}", key).message.find(key) == std::string::npos);
}

TEST_CASE("a key of stars is masked, too, and does not keep us busy", "[openai]") {
  for (const char* key : {"*", "**", "***", "x"}) {
    CHECK_THAT(decode(401, std::string(R"({"error":{"message":"no: )") + key + "\"}}", key).message,
               ContainsSubstring("***"));
  }
}

TEST_CASE("base URLs are split into address and socket", "[openai]") {
  struct Case {
    std::string base_url;
    std::string url;
    std::string socket;
  };

  for (const auto& c : std::vector<Case>{
           {"https://api.openai.com/v1", "https://api.openai.com/v1", ""},
           {"http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1", ""},
           {"http://h", "http://h", ""},
           {"unix:/run/llm.sock", "http://localhost/v1", "/run/llm.sock"},
           {"unix:///run/llm.sock", "http://localhost/v1", "/run/llm.sock"},
           {"unix:/run/llm.sock:/api/v2/", "http://localhost/api/v2", "/run/llm.sock"},
           {"unix:rel.sock:/v1", "http://localhost/v1", "rel.sock"},
           {"http+unix://%2Frun%2Fllm.sock/v1", "http://localhost/v1", "/run/llm.sock"},
           {"http+unix://%2Frun%2Fllm.sock", "http://localhost/v1", "/run/llm.sock"},
       }) {
    CAPTURE(c.base_url);
    const HttpEndpoint endpoint = parse_base_url(c.base_url);
    CHECK(endpoint.url == c.url);
    CHECK(endpoint.unix_socket == c.socket);
  }
  for (const std::string& bad : {std::string(),
                                 std::string("api.openai.com/v1"),
                                 std::string("ftp://h/"),
                                 std::string("http://"),
                                 std::string("http:///v1"),
                                 std::string("unix:"),
                                 std::string("unix:/" + std::string(200, 'x')),
                                 std::string("https://me:secret@h/v1"),
                                 std::string("file:///etc/passwd")}) {
    CAPTURE(bad);
    const auto error = thrown_error([&] { parse_base_url(bad); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::usage);
    CHECK(error->message().find("secret") == std::string::npos);
  }
}
