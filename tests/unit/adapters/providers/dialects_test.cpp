// SPDX-License-Identifier: Apache-2.0
// What every dialect must do, whatever it speaks.
#include "adapters/registry.h"
#include "tests/support/catch.h"
#include "tests/support/wire_fixture.h"

#include <set>

using namespace batchllm;
using namespace batchllm::test;

namespace {

constexpr const char* k_page =
    "<!DOCTYPE html>\n<html><head><title>502 Bad "
    "Gateway</title></head>\r\n<body>proxy</body></html>";

}  // namespace

TEST_CASE("each dialect has a name of its own", "[dialects]") {
  std::set<std::string> seen;
  for (const std::string& name : dialect_names()) {
    CHECK(seen.insert(name).second);
    CHECK_FALSE(find_dialect(name)->title.empty());
  }
  CHECK(find_dialect("") == nullptr);
  CHECK(find_dialect("smoke") == nullptr);
}

TEST_CASE("a proxy's page is no answer, whatever its status", "[dialects]") {
  for (const std::string& name : dialect_names()) {
    CAPTURE(name);
    const auto provider = provider_of(name, request_for());
    CHECK(decoded(*provider, 200, k_page).failure == RowFailure::protocol_error);
    CHECK(decoded(*provider, 502, k_page).failure == RowFailure::server_error);
    CHECK(decoded(*provider, 503, k_page).failure == RowFailure::overloaded);
    CHECK(decoded(*provider, 403, k_page).failure == RowFailure::auth_refused);
    CHECK(decoded(*provider, 429, k_page).failure == RowFailure::rate_limited);
    CHECK(decoded(*provider, 413, k_page).failure == RowFailure::context_too_long);
    const DecodedAnswer redirect = decoded(*provider, 302, "");
    CHECK(redirect.failure == RowFailure::bad_request);
    CHECK_THAT(redirect.message, ContainsSubstring("redirects"));
    CHECK_THAT(decoded(*provider, 502, k_page).message, ContainsSubstring("502 Bad Gateway"));
  }
}

TEST_CASE("JSON that is none of the API's is no answer", "[dialects]") {
  for (const std::string& name : dialect_names()) {
    const auto provider = provider_of(name, request_for());
    for (const char* body : {"",
                             " ",
                             "null",
                             "7",
                             "\"text\"",
                             "[]",
                             "[[]]",
                             "{}",
                             "[{}]",
                             R"({"a":{"b":[1,2,{"c":null}]}})",
                             R"({"choices":7,"content":7,"candidates":7,"message":7,"output":7})",
                             R"({"choices":{},"content":{},"candidates":{},"output":{}})",
                             "{\"content\":[{\"text\":\"\xff\"",
                             "{\"a\":1}{\"b\":2}"}) {
      CAPTURE(name, body);
      const DecodedAnswer answer = decoded(*provider, 200, body);
      CHECK(answer.failure != RowFailure::none);
      CHECK(answer.usage.input_tokens == 0);
      CHECK(decoded(*provider, 500, body).failure == RowFailure::server_error);
    }
  }
}

TEST_CASE("deep nesting is borne by every dialect", "[dialects]") {
  for (const std::string& name : dialect_names()) {
    CAPTURE(name);
    const auto provider = provider_of(name, request_for());
    for (const char* open : {"[", "{\"content\":", "{\"candidates\":[", "{\"error\":{\"a\":"}) {
      std::string deep;
      for (int i = 0; i < 20'000; ++i) {
        deep += open;
      }
      CHECK(decoded(*provider, 200, deep).failure == RowFailure::protocol_error);
      CHECK(decoded(*provider, 500, deep).message.size() < 2500);
    }
  }
}

TEST_CASE("a key that the server repeats is masked in every dialect", "[dialects]") {
  const std::string key = "sk-secret-0123456789";
  for (const std::string& name : dialect_names()) {
    CAPTURE(name);
    ModelRequest model = request_for();
    model.key = key;
    const auto provider = provider_of(name, model);
    for (const std::string& body : {R"({"error":{"message":"no key )" + key +
                                        R"( here","status":"x"},"message":"no )" + key + "\"}",
                                    R"({"error":"no key )" + key + "\"}",
                                    R"({"message":"no key )" + key + "\"}",
                                    "<html>" + key + "</html>"}) {
      for (const int status : {200, 400, 401, 500}) {
        const std::string message = decoded(*provider, status, body).message;
        CHECK_FALSE(message.empty());
        CHECK(message.find("sk-secret") == std::string::npos);
      }
    }
    std::string request;
    provider->encode(few_shot_prompt(), request);
    CHECK(request.find(key) == std::string::npos);
    CHECK(provider->endpoint().url.find(key) == std::string::npos);
  }
}

TEST_CASE("a query in the base URL stays behind the path", "[dialects]") {
  for (const std::string& name : dialect_names()) {
    CAPTURE(name);
    const std::string url =
        provider_of(name, request_for("https://h/base?api-version=1"))->endpoint().url;
    CHECK(url.starts_with("https://h/base/"));
    CHECK(url.ends_with("?api-version=1"));
  }
}

TEST_CASE("turns are put behind the messages that are there", "[dialects]") {
  for (const std::string& name : dialect_names()) {
    CAPTURE(name);
    ModelRequest model = request_for();
    model.temperature = 0.5;
    const auto provider = provider_of(name, model);
    std::string before;
    provider->encode(few_shot_prompt(), before);
    std::string body = before;
    provider->append_turns(body, "not \"JSON\"", "again\n");
    CHECK(is_json(body));
    const auto answer = body.find(R"(not \"JSON\")");
    const auto request = body.find(R"(again\n)");
    REQUIRE(answer != std::string::npos);
    CHECK(body.find("gr\u00f6\u00dfe") < answer);
    CHECK(answer < request);
    CHECK(body.size() > before.size());
  }
}

TEST_CASE("several images and a document go along where the dialect has places for them",
          "[dialects]") {
  struct Case {
    std::string dialect;
    std::string document;  // how it stands in the request
  };

  Prompt prompt = image_prompt();
  prompt.attachments.push_back({Attachment::Kind::image, "data:image/gif;base64,R0lG"});
  for (const std::string& name : dialect_names()) {
    CAPTURE(name);
    const std::string body = encoded(name, request_for(), prompt);
    CHECK(body.find("AA==") < body.find("R0lG"));
    CHECK(body.find("R0lG") != std::string::npos);
  }
  prompt.attachments.push_back(
      {Attachment::Kind::document, "data:application/pdf;base64,JVBE", "a \"b\".pdf"});
  for (const auto& c : std::vector<Case>{
           {"openai",
            R"({"type":"file","file":{"filename":"a \"b\".pdf",)"
            R"("file_data":"data:application/pdf;base64,JVBE"}})"},
           {"responses",
            R"({"type":"input_file","filename":"a \"b\".pdf",)"
            R"("file_data":"data:application/pdf;base64,JVBE"})"},
           {"anthropic",
            R"({"type":"document","source":{"type":"base64",)"
            R"("media_type":"application/pdf","data":"JVBE"}})"},
           {"gemini", R"({"inlineData":{"mimeType":"application/pdf","data":"JVBE"}})"},
           {"bedrock",
            R"({"document":{"format":"pdf","name":"document 3","source":{"bytes":"JVBE"}}})"},
       }) {
    CAPTURE(c.dialect);
    CHECK_THAT(encoded(c.dialect, request_for(), prompt), ContainsSubstring(c.document));
  }
}
