// SPDX-License-Identifier: Apache-2.0
// Requests and responses of every dialect of embeddings.
#include "adapters/registry.h"
#include "core/float_vector.h"
#include "tests/support/catch.h"
#include "tests/support/wire_fixture.h"

using namespace batchllm;
using namespace batchllm::test;

namespace {

struct Vectors {
  RowFailure failure = RowFailure::none;
  std::vector<std::vector<float>> vectors;
  std::string message;
  Usage usage;
  bool stops_run = false;
};

ModelRequest vectors_request(std::string base_url = "http://h") {
  ModelRequest model = request_for(std::move(base_url));
  model.max_tokens.reset();
  return model;
}

std::unique_ptr<Provider> embeddings_of(std::string_view dialect,
                                        ModelRequest model = vectors_request()) {
  const EmbeddingDialect* found = find_embedding_dialect(dialect);
  REQUIRE(found != nullptr);
  return found->make(std::move(model));
}

std::string request_for_texts(const Provider& provider, const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const auto& text : texts) {
    Prompt prompt;
    prompt.messages = {{"user", text}};
    provider.encode(prompt, parts.emplace_back("left over"));
  }
  std::string body = "left over";
  provider.join({std::vector<std::string_view>(parts.begin(), parts.end())}, body);
  CHECK(is_json(body));
  return body;
}

Vectors vectors_in(Provider& provider, int status, std::string body) {
  const std::size_t size = body.size();
  body.resize(size + 64);
  HttpResponse response;
  response.status = status;
  response.body = body.data();
  response.body_size = size;
  const Answer answer = provider.decode(response);
  Vectors found{answer.failure, {}, answer.message, answer.usage, answer.stops_run};
  std::string bytes;
  for (const std::string_view text : answer.texts) {
    if (answer.failure == RowFailure::none) {
      CHECK(read_vector(text, found.vectors.emplace_back(), bytes));
    }
  }
  return found;
}

// Two vectors, [1,-2] and [0.5,4], in the dialect's words.
std::string good_response(std::string_view dialect) {
  if (dialect == "gemini") {
    return R"({"embeddings":[{"values":[1,-2]},{"values":[0.5,4.0]}],)"
           R"("usageMetadata":{"promptTokenCount":8}})";
  }
  if (dialect == "ollama") {
    return R"({"model":"m","embeddings":[[1,-2],[0.5,4.0]],"total_duration":1,"prompt_eval_count":8})";
  }
  if (dialect == "cohere") {
    return R"({"id":"x","embeddings":{"float":[[1,-2],[0.5,4.0]]},"texts":["a","b"],)"
           R"("meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":8}}})";
  }
  return R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,-2]},)"
         R"({"object":"embedding","index":1,"embedding":[0.5,4.0]}],"model":"m",)"
         R"("usage":{"prompt_tokens":8,"total_tokens":8}})";
}

const std::vector<std::vector<float>> k_good = {{1.0F, -2.0F}, {0.5F, 4.0F}};

}  // namespace

TEST_CASE("texts go where OpenAI wants them", "[embeddings]") {
  ModelRequest model = vectors_request("http://h/v1");
  CHECK(request_for_texts(*embeddings_of("openai", model), {"a \"b\"", "größe\n"}) ==
        "{\"model\":\"m\",\"input\":[\"a \\\"b\\\"\",\"größe\\n\"]}");
  model.traits.vectors = "base64";
  model.dimensions = 256;
  model.parameters = {{"user", "\"u\""}};
  model.key = "k";
  const auto provider = embeddings_of("openai", model);
  CHECK(request_for_texts(*provider, {"a"}) ==
        R"({"model":"m","input":["a"],"dimensions":256,"encoding_format":"base64","user":"u"})");
  CHECK(provider->endpoint().url == "http://h/v1/embeddings");
  CHECK(header_of(provider->endpoint(), "Authorization") == "Bearer k");
  model.traits.dimensions = "output_dimension";  // Mistral
  model.traits.vectors.clear();
  model.parameters.clear();
  CHECK(request_for_texts(*embeddings_of("openai", model), {"a"}) ==
        R"({"model":"m","input":["a"],"output_dimension":256})");
}

TEST_CASE("texts go where Gemini wants them", "[embeddings]") {
  ModelRequest model = vectors_request();
  model.dimensions = 768;
  model.traits.dimensions = "outputDimensionality";
  model.parameters = {{"taskType", "\"CLUSTERING\""}};
  const auto provider = embeddings_of("gemini", model);
  CHECK(request_for_texts(*provider, {"a", "b"}) ==
        R"({"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},)"
        R"("outputDimensionality":768,"taskType":"CLUSTERING"},)"
        R"({"model":"models/m","content":{"parts":[{"text":"b"}]},)"
        R"("outputDimensionality":768,"taskType":"CLUSTERING"}]})");
  CHECK(provider->endpoint().url == "http://h/v1beta/models/m:batchEmbedContents");
}

TEST_CASE("texts go where Cohere wants them", "[embeddings]") {
  ModelRequest model = vectors_request();
  CHECK(request_for_texts(*embeddings_of("cohere", model), {"a", "b"}) ==
        R"({"model":"m","texts":["a","b"],"embedding_types":["float"],)"
        R"("input_type":"search_document","truncate":"NONE"})");
  model.parameters = {{"input_type", "\"classification\""}, {"truncate", "\"END\""}};
  model.traits.dimensions = "output_dimension";
  model.dimensions = 512;
  const auto provider = embeddings_of("cohere", model);
  CHECK(request_for_texts(*provider, {"a"}) ==
        R"({"model":"m","texts":["a"],"embedding_types":["float"],"output_dimension":512,)"
        R"("input_type":"classification","truncate":"END"})");
  CHECK(provider->endpoint().url == "http://h/v2/embed");
}

TEST_CASE("texts go where Ollama wants them", "[embeddings]") {
  ModelRequest model = vectors_request();
  model.parameters = {{"num_ctx", "2048"}, {"keep_alive", "\"1m\""}};
  model.dimensions = 64;
  const auto provider = embeddings_of("ollama", model);
  CHECK(request_for_texts(*provider, {"a", "b"}) ==
        R"({"model":"m","input":["a","b"],"truncate":false,"dimensions":64,)"
        R"("options":{"num_ctx":2048},"keep_alive":"1m"})");
  CHECK(provider->endpoint().url == "http://h/api/embed");
}

TEST_CASE("each dialect's vectors are read, with what they cost", "[embeddings]") {
  for (const std::string& name : embedding_dialect_names()) {
    CAPTURE(name);
    const auto provider = embeddings_of(name);
    const Vectors found = vectors_in(*provider, 200, good_response(name));
    CHECK(found.failure == RowFailure::none);
    CHECK(found.vectors == k_good);
    CHECK(found.usage.input_tokens == 8);
    CHECK(find_dialect(name) != nullptr);
  }
}

TEST_CASE("OpenAI's vectors may come as base64 and in any order", "[embeddings]") {
  std::string one;
  std::string two;
  append_vector(one, k_good[0]);
  append_vector(two, k_good[1]);
  const auto provider = embeddings_of("openai");
  CHECK(vectors_in(*provider,
                   200,
                   R"({"data":[{"index":1,"embedding":")" + two + R"("},{"embedding":")" + one +
                       R"(","index":0}]})")
            .vectors == k_good);
  CHECK(vectors_in(*provider,
                   200,
                   R"({"data":[{"embedding":")" + one + R"("},{"embedding":")" + two + R"("}]})")
            .vectors == k_good);
}

TEST_CASE("vectors that are none are no answer", "[embeddings]") {
  const auto provider = embeddings_of("openai");
  for (const char* data : {R"([{"index":0,"embedding":[]}])",
                           R"([{"index":0,"embedding":["a"]}])",
                           R"([{"index":0,"embedding":[1e99]}])",
                           R"([{"index":0,"embedding":"AAA"}])",
                           R"([{"index":0,"embedding":"AADAfw=="}])",
                           R"([{"index":-1,"embedding":[1]}])",
                           R"([{"index":9999999,"embedding":[1]}])",
                           R"([{"index":1,"embedding":[1]}])",
                           R"([{"index":0}])",
                           R"([7])",
                           "[]",
                           "7"}) {
    CAPTURE(data);
    const Vectors found =
        vectors_in(*provider, 200, std::string(R"({"data":)") + data + R"(,"usage":{}})");
    CHECK(found.failure == RowFailure::protocol_error);
    CHECK_FALSE(found.message.empty());
  }
}

TEST_CASE("a model that does not follow --dimensions is told from one that does", "[embeddings]") {
  ModelRequest model = vectors_request();
  model.dimensions = 3;
  const Vectors found = vectors_in(*embeddings_of("openai", model), 200, good_response("openai"));
  CHECK(found.failure == RowFailure::bad_request);
  CHECK_THAT(found.message, ContainsSubstring("2 numbers came, not of 3"));
}

TEST_CASE("errors mean the same as in the dialect's conversations", "[embeddings]") {
  for (const std::string& name : embedding_dialect_names()) {
    CAPTURE(name);
    ModelRequest model = vectors_request();
    model.key = "sk-secret-0123456789";
    const auto provider = embeddings_of(name, model);
    const std::string error = name == "cohere"
                                  ? R"({"message":"no sk-secret-0123456789"})"
                                  : R"({"error":{"message":"no sk-secret-0123456789"}})";
    CHECK(vectors_in(*provider, 400, error).failure == RowFailure::bad_request);
    CHECK(vectors_in(*provider, 401, error).stops_run);
    CHECK(vectors_in(*provider, 429, error).failure == RowFailure::rate_limited);
    CHECK(vectors_in(*provider, 500, "<html>").failure == RowFailure::server_error);
    CHECK(vectors_in(*provider, 200, "<html>").failure == RowFailure::protocol_error);
    CHECK(vectors_in(*provider, 200, error).failure == RowFailure::server_error);
    CHECK(vectors_in(*provider, 200, error).message.find("secret") == std::string::npos);
    const std::string whole = good_response(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK(vectors_in(*provider, 200, whole.substr(0, size)).failure ==
            RowFailure::protocol_error);
    }
  }
}
