// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/cohere_embeddings.h"

#include "adapters/providers/cohere.h"
#include "adapters/providers/embedding_provider.h"
#include "core/json_text.h"

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

class CohereEmbeddings final : public EmbeddingProvider {
 public:
  explicit CohereEmbeddings(ModelRequest request);

 private:
  bool read_member(std::string_view key, ondemand::value value, EmbeddingReply& reply) override;
  bool read_kinds(ondemand::value value);

  RowFailure failure_of(int status, const ErrorReply& reply) const override {
    return cohere_failure(status, reply.error)
        .value_or(EmbeddingProvider::failure_of(status, reply));
  }
};

CohereEmbeddings::CohereEmbeddings(ModelRequest given) : EmbeddingProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to("/v2", "/embed");
  add_key("Authorization");
  head_ = R"({"model":)" + json_string(model.model) + R"(,"texts":[)";
  tail_ = R"(],"embedding_types":["float"])";
  if (parameter("input_type") == nullptr) {
    append_member(tail_, "input_type", R"("search_document")");
  }
  if (parameter("truncate") == nullptr) {
    append_member(tail_, "truncate", R"("NONE")");
  }
  add_dimensions(tail_);
  add_extras(tail_);
  tail_ += '}';
}

bool CohereEmbeddings::read_member(std::string_view key,
                                   ondemand::value value,
                                   EmbeddingReply& reply) {
  if (key == "embeddings") {
    return read_kinds(value);
  }
  if (key == "meta") {
    (void)wire::for_each_member(value, [&](std::string_view name, ondemand::value member) {
      if (name != "billed_units") {
        return;
      }
      (void)wire::for_each_member(member, [&](std::string_view unit, ondemand::value count) {
        if (unit == "input_tokens") {
          reply.usage.input_tokens = wire::count_of(count);
        }
      });
    });
  } else if (key == "message") {
    reply.error.message = wire::text_of(value);
  } else if (key == "error") {
    wire::read_error(value, reply.error);
  }
  return true;
}

// {"float":[[…],…]}
bool CohereEmbeddings::read_kinds(ondemand::value value) {
  bool are_vectors = true;
  const bool is_object =
      wire::for_each_member(value, [&](std::string_view kind, ondemand::value vectors) {
        are_vectors = are_vectors && (kind != "float" || take_vectors(vectors));
      });
  return is_object && are_vectors;
}

}  // namespace

std::unique_ptr<Provider> make_cohere_embeddings(ModelRequest request) {
  return std::make_unique<CohereEmbeddings>(std::move(request));
}

}  // namespace batchllm
