// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/ollama.h"

#include "adapters/providers/base_url.h"
#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/wire_fixture.h"

using namespace batchllm;
using namespace batchllm::test;

namespace {

constexpr const char* k_dialect = "ollama";

ModelRequest plain_request() {
  ModelRequest model = request_for();
  model.max_tokens.reset();
  return model;
}

const std::string k_ours = R"("stream":false,"truncate":false,"shift":false,"keep_alive":"30m",)";

std::string reply(const std::string& content, const std::string& reason) {
  return R"({"model":"m","created_at":"2026-11-21T00:00:00Z","message":{"role":"assistant","content":)" +
         content + R"(,"thinking":"hm"},"done":true,"done_reason":")" + reason +
         R"(","total_duration":12345678901,"prompt_eval_count":26,"eval_count":9})";
}

}  // namespace

TEST_CASE("messages go where Ollama wants them", "[ollama]") {
  Prompt prompt;
  prompt.messages = {{"user", "hi"}};
  CHECK(encoded(k_dialect, plain_request(), prompt) ==
        R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + k_ours +
            R"("options":{"num_ctx":8192}})");
  CHECK(encoded(k_dialect, request_for(), few_shot_prompt()) ==
        R"({"model":"m","messages":[{"role":"system","content":"be \"brief\""},)"
        R"({"role":"user","content":"1+1?"},{"role":"assistant","content":"2"},)"
        "{\"role\":\"user\",\"content\":\"größe\\n\"}]," +
            k_ours + R"("options":{"num_ctx":8192,"num_predict":50}})");
}

TEST_CASE("an image is bytes without a scheme", "[ollama]") {
  CHECK(encoded(k_dialect, plain_request(), image_prompt()) ==
        R"({"model":"m","messages":[{"role":"user","content":"what is it?","images":["AA=="]}],)" +
            k_ours + R"("options":{"num_ctx":8192}})");
}

TEST_CASE("settings are options, some stand beside them", "[ollama]") {
  ModelRequest model = request_for();
  model.temperature = 0.5;
  model.effort = "high";
  model.traits.effort = "think";
  model.schema = small_schema();
  model.parameters = {{"seed", "7"}, {"keep_alive", "-1"}, {"top_k", "3"}};
  CHECK(encoded(k_dialect, model, Prompt{}) ==
        R"({"model":"m","messages":[],"stream":false,"truncate":false,"shift":false,)"
        R"("format":{"type":"object"},"think":"high","options":{"num_ctx":8192,"num_predict":50,)"
        R"("temperature":0.5,"seed":7,"top_k":3},"keep_alive":-1})");
  model = plain_request();
  model.effort = "none";
  model.traits.effort = "think";
  model.schema = small_schema();
  model.traits.schema_mode = SchemaMode::json_object;
  CHECK(encoded(k_dialect, model, Prompt{}) ==
        R"({"model":"m","messages":[],)" + k_ours +
            R"("format":"json","think":false,"options":{"num_ctx":8192}})");
}

TEST_CASE("the window is the same for every row and large enough for the answer", "[ollama]") {
  const auto window = [](const ModelRequest& model) {
    return find_in_json(encoded(k_dialect, model, Prompt{}), ".options.num_ctx")->text;
  };
  ModelRequest model = request_for();
  model.max_tokens = 10'000;
  CHECK(window(model) == "14096");
  model.traits.context_tokens = 32'768;
  CHECK(window(model) == "32768");
  model.parameters = {{"num_ctx", "65536"}};
  CHECK(window(model) == "65536");
  model = request_for();
  model.max_tokens = INT64_MAX;
  CHECK(window(model).front() != '-');
}

TEST_CASE("addresses are taken as OLLAMA_HOST has them", "[ollama]") {
  struct Case {
    std::string address;
    std::string url;
  };

  for (const auto& c : std::vector<Case>{
           {"http://127.0.0.1:11434", "http://127.0.0.1:11434"},
           {"http://127.0.0.1:11434/v1", "http://127.0.0.1:11434"},
           {"http://h/base/v1/", "http://h/base"},
           {"https://h", "https://h"},
           {"h", "http://h:11434"},
           {"h/base", "http://h:11434/base"},
           {":8080", "http://127.0.0.1:8080"},
           {"0.0.0.0", "http://127.0.0.1:11434"},
           {"0.0.0.0:1", "http://127.0.0.1:1"},
           {"http://0.0.0.0:1", "http://127.0.0.1:1"},
           {"[::]:1", "http://[::1]:1"},
           {"[fe80::1]", "http://[fe80::1]:11434"},
           {"unix:/run/o.sock", "unix:/run/o.sock:/"},
           {"unix:/run/o.sock:/v1", "unix:/run/o.sock:/"},
           {"unix:/run/o.sock:/x", "unix:/run/o.sock:/x"},
           {"http+unix://%2Fo.sock", "http+unix://%2Fo.sock/"},
           {"http+unix://%2Fo.sock/v1", "http+unix://%2Fo.sock/"},
       }) {
    CAPTURE(c.address);
    CHECK(ollama_base_url(c.address) == c.url);
    CHECK_NOTHROW(parse_base_url(c.url));
  }
  CHECK(make_ollama_provider(request_for("unix:/run/o.sock"))->endpoint().url ==
        "http://localhost/api/chat");
  for (const char* bad : {"http://", "ftp://h", "http://me:secret@h/v1", "me:secret@h"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(make_ollama_provider(request_for(bad)), Error);
  }
}

TEST_CASE("Ollama's answers and errors are told apart", "[ollama]") {
  const auto provider = make_ollama_provider(request_for());
  check_cases(
      *provider,
      {
          {200, reply(R"("a\n")", "stop"), RowFailure::none, "a\n"},
          {200, reply(R"("a")", "length"), RowFailure::truncated, "a"},
          {200, reply(R"("")", "stop"), RowFailure::empty_answer, ""},
          {200, reply(R"("")", "load"), RowFailure::empty_answer, ""},
          {200, R"({"error":"busy"})", RowFailure::server_error, ""},
          {200, R"({"done":true})", RowFailure::protocol_error, ""},
          {400,
           R"({"error":"prompt too long; exceeded max context length by 9 tokens"})",
           RowFailure::context_too_long},
          {400, R"({"error":"illegal base64 data"})", RowFailure::bad_request},
          {404, R"({"error":"model 'm' not found"})", RowFailure::bad_request},
          {500, R"({"error":"llama runner process has terminated"})", RowFailure::server_error},
          {503, R"({"error":"server busy, please try again"})", RowFailure::overloaded},
      });
  CHECK(decoded(*provider, 404, R"({"error":"model 'm' not found"})").message ==
        "HTTP 404: model 'm' not found");
  const Usage usage = decoded(*provider, 200, reply(R"("a")", "stop")).usage;
  CHECK(usage.input_tokens == 26);
  CHECK(usage.output_tokens == 9);
}

TEST_CASE("an answer of Ollama's that is cut off anywhere is none", "[ollama]") {
  const auto provider = make_ollama_provider(request_for());
  const std::string whole = reply(R"("a {}")", "stop");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decoded(*provider, 200, whole.substr(0, size)).failure == RowFailure::protocol_error);
  }
}
