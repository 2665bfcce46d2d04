// SPDX-License-Identifier: Apache-2.0
#include "adapters/registry.h"

#include "adapters/providers/anthropic.h"
#include "adapters/providers/bedrock.h"
#include "adapters/providers/cohere.h"
#include "adapters/providers/cohere_embeddings.h"
#include "adapters/providers/gemini.h"
#include "adapters/providers/gemini_embeddings.h"
#include "adapters/providers/ollama.h"
#include "adapters/providers/ollama_embeddings.h"
#include "adapters/providers/openai.h"
#include "adapters/providers/openai_embeddings.h"
#include "adapters/providers/responses.h"

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

// Bedrock's list is another server's, which wants another signature.
constexpr ModelListForm k_no_list{};

constexpr std::array k_dialects = {
    Dialect{"openai",
            "OpenAI chat completions",
            &make_openai_provider,
            {"/chat/completions", "/models", "data", "id", ""}},
    Dialect{"responses",
            "OpenAI responses",
            &make_responses_provider,
            {"/responses", "/models", "data", "id", ""}},
    Dialect{"anthropic",
            "Anthropic messages",
            &make_anthropic_provider,
            {"/messages", "/models?limit=1000", "data", "id", "", "last_id", "after_id"}},
    Dialect{"gemini",
            "Gemini generateContent",
            &make_gemini_provider,
            {"/models/m:generateContent",
             "/models?pageSize=1000",
             "models",
             "name",
             "models/",
             "nextPageToken",
             "pageToken"}},
    Dialect{"ollama",
            "Ollama chat",
            &make_ollama_provider,
            {"/api/chat", "/api/tags", "models", "name", ""}},
    Dialect{"cohere",
            "Cohere chat",
            &make_cohere_provider,
            {"/v2/chat",
             "/v1/models?page_size=1000&endpoint=chat",
             "models",
             "name",
             "",
             "next_page_token",
             "page_token"}},
    Dialect{"bedrock", "AWS Bedrock converse", &make_bedrock_provider, k_no_list, &with_aws_region},
};

constexpr std::array k_embedding_dialects = {
    EmbeddingDialect{"openai", "OpenAI embeddings", &make_openai_embeddings},
    EmbeddingDialect{"responses", "OpenAI embeddings", &make_openai_embeddings},
    EmbeddingDialect{"gemini", "Gemini batchEmbedContents", &make_gemini_embeddings},
    EmbeddingDialect{"ollama", "Ollama embed", &make_ollama_embeddings},
    EmbeddingDialect{"cohere", "Cohere embed", &make_cohere_embeddings},
};

template <typename Table>
auto find_in(const Table& table, std::string_view name) noexcept -> decltype(table.data()) {
  const auto* found = std::find_if(
      table.begin(), table.end(), [name](const auto& entry) { return entry.name == name; });
  return found == table.end() ? nullptr : found;
}

template <typename Table>
std::vector<std::string> names_in(const Table& table) {
  std::vector<std::string> names;
  for (const auto& entry : table) {
    names.emplace_back(entry.name);
  }
  return names;
}

}  // namespace

const Dialect* find_dialect(std::string_view name) noexcept {
  return find_in(k_dialects, name);
}

std::vector<std::string> dialect_names() {
  return names_in(k_dialects);
}

const EmbeddingDialect* find_embedding_dialect(std::string_view name) noexcept {
  return find_in(k_embedding_dialects, name);
}

std::vector<std::string> embedding_dialect_names() {
  return names_in(k_embedding_dialects);
}

}  // namespace batchllm
