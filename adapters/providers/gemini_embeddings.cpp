// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/gemini_embeddings.h"

#include "adapters/providers/embedding_provider.h"
#include "adapters/providers/gemini_wire.h"
#include "core/json_text.h"

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

// A request is a list of requests for one text each, which hold everything.
class GeminiEmbeddings final : public EmbeddingProvider {
 public:
  explicit GeminiEmbeddings(ModelRequest request);

 private:
  void write_part(std::string_view text, std::string& part) const override;
  bool read_member(std::string_view key, ondemand::value value, EmbeddingReply& reply) override;

  RowFailure failure_of(int status, const ErrorReply& reply) const override {
    return gemini::failure_of(status, reply.error)
        .value_or(EmbeddingProvider::failure_of(status, reply));
  }

  std::string part_head_;
  std::string part_tail_;
};

GeminiEmbeddings::GeminiEmbeddings(ModelRequest given) : EmbeddingProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to("/v1beta", "/" + gemini::path_of(model.model) + ":batchEmbedContents");
  add_key("x-goog-api-key");
  head_ = R"({"requests":[)";
  tail_ = "]}";
  const bool names_collection = model.model.find('/') != std::string::npos;
  part_head_ = R"({"model":)" +
               json_string(names_collection ? model.model : "models/" + model.model) +
               R"(,"content":{"parts":[{"text":)";
  part_tail_ = "}]}";
  add_dimensions(part_tail_);
  add_extras(part_tail_);
  part_tail_ += '}';
}

void GeminiEmbeddings::write_part(std::string_view text, std::string& part) const {
  part += part_head_;
  append_json_string(part, text);
  part += part_tail_;
}

bool GeminiEmbeddings::read_member(std::string_view key,
                                   ondemand::value value,
                                   EmbeddingReply& reply) {
  if (key == "embeddings") {
    bool are_vectors = true;
    std::size_t row = 0;
    const bool is_array = wire::for_each_element(value, [&](ondemand::value embedding) {
      ondemand::value numbers;
      are_vectors = are_vectors && embedding["values"].get(numbers) == simdjson::SUCCESS &&
                    take_vector(numbers, row++);
    });
    return is_array && are_vectors;
  }
  if (key == "usageMetadata") {
    (void)wire::for_each_member(value, [&](std::string_view name, ondemand::value count) {
      if (name == "promptTokenCount") {
        reply.usage.input_tokens = wire::count_of(count);
      }
    });
  } else if (key == "error") {
    gemini::read_error(value, reply);
  }
  return true;
}

}  // namespace

std::unique_ptr<Provider> make_gemini_embeddings(ModelRequest request) {
  return std::make_unique<GeminiEmbeddings>(std::move(request));
}

}  // namespace batchllm
