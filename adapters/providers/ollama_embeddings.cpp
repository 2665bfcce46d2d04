// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/ollama_embeddings.h"

#include "adapters/providers/embedding_provider.h"
#include "adapters/providers/ollama.h"
#include "core/json_text.h"

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

// Parameters that stand beside the options.
constexpr std::array<std::string_view, 2> k_outside = {"keep_alive", "truncate"};

bool is_outside(std::string_view name) {
  return std::find(k_outside.begin(), k_outside.end(), name) != k_outside.end();
}

ModelRequest with_url(ModelRequest request) {
  request.base_url = ollama_base_url(request.base_url);
  return request;
}

class OllamaEmbeddings final : public EmbeddingProvider {
 public:
  explicit OllamaEmbeddings(ModelRequest request);

 private:
  bool read_member(std::string_view key, ondemand::value value, EmbeddingReply& reply) override;
};

OllamaEmbeddings::OllamaEmbeddings(ModelRequest given)
    : EmbeddingProvider(with_url(std::move(given))) {
  const ModelRequest& model = request();
  send_to("/api/embed");
  add_key("Authorization");
  head_ = R"({"model":)" + json_string(model.model) + R"(,"input":[)";
  tail_ = "]";
  if (parameter("truncate") == nullptr) {
    append_member(tail_, "truncate", "false");
  }
  if (parameter("keep_alive") == nullptr) {
    append_member(tail_, "keep_alive", R"("30m")");
  }
  add_dimensions(tail_);
  std::string options;
  add_parameters(options, [](std::string_view name) { return !is_outside(name); });
  if (!options.empty()) {
    append_member(tail_, "options", "{" + options + "}");
  }
  add_parameters(tail_, is_outside);
  if (!model.traits.extra.empty()) {
    tail_ += "," + model.traits.extra;
  }
  tail_ += '}';
}

bool OllamaEmbeddings::read_member(std::string_view key,
                                   ondemand::value value,
                                   EmbeddingReply& reply) {
  if (key == "embeddings") {
    return take_vectors(value);
  }
  if (key == "prompt_eval_count") {
    reply.usage.input_tokens = wire::count_of(value);
  } else if (key == "error") {
    wire::read_error(value, reply.error);
  }
  return true;
}

}  // namespace

std::unique_ptr<Provider> make_ollama_embeddings(ModelRequest request) {
  return std::make_unique<OllamaEmbeddings>(std::move(request));
}

}  // namespace batchllm
