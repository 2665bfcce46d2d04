// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/openai_embeddings.h"

#include "adapters/providers/embedding_provider.h"
#include "core/json_text.h"

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

class OpenAiEmbeddings final : public EmbeddingProvider {
 public:
  explicit OpenAiEmbeddings(ModelRequest request);

 private:
  bool read_member(std::string_view key, ondemand::value value, EmbeddingReply& reply) override;
  bool read_vector_object(ondemand::value value, std::size_t place);
};

OpenAiEmbeddings::OpenAiEmbeddings(ModelRequest given) : EmbeddingProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to("/embeddings");
  add_key("Authorization");
  head_ = R"({"model":)" + json_string(model.model) + R"(,"input":[)";
  tail_ = "]";
  add_dimensions(tail_);
  if (model.traits.vectors == "base64" && parameter("encoding_format") == nullptr) {
    append_member(tail_, "encoding_format", R"("base64")");
  }
  add_extras(tail_);
  tail_ += '}';
}

bool OpenAiEmbeddings::read_member(std::string_view key,
                                   ondemand::value value,
                                   EmbeddingReply& reply) {
  if (key == "data") {
    bool are_vectors = true;
    std::size_t place = 0;
    const bool is_array = wire::for_each_element(value, [&](ondemand::value object) {
      are_vectors = are_vectors && read_vector_object(object, place++);
    });
    return is_array && are_vectors;
  }
  if (key == "usage") {
    (void)wire::for_each_member(value, [&](std::string_view name, ondemand::value count) {
      if (name == "prompt_tokens") {
        reply.usage.input_tokens = wire::count_of(count);
      }
    });
  } else if (key == "error") {
    wire::read_error(value, reply.error);
  } else if (key == "message") {  // Mistral, older vLLM: no object around the error's members
    reply.error.message = wire::text_of(value);
  } else if (key == "type") {
    reply.error.type = wire::text_of(value);
  } else if (key == "code") {
    reply.error.code = wire::text_of(value);
  }
  return true;
}

// `index` may stand before the vector or behind it, or be missing: then the order tells.
bool OpenAiEmbeddings::read_vector_object(ondemand::value value, std::size_t place) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return false;
  }
  std::int64_t index = 0;
  ondemand::value vector;
  const bool has_index = object["index"].get_int64().get(index) == simdjson::SUCCESS;
  if (has_index && index < 0) {
    return false;
  }
  return object["embedding"].get(vector) == simdjson::SUCCESS &&
         take_vector(vector, has_index ? static_cast<std::size_t>(index) : place);
}

}  // namespace

std::unique_ptr<Provider> make_openai_embeddings(ModelRequest request) {
  return std::make_unique<OpenAiEmbeddings>(std::move(request));
}

}  // namespace batchllm
