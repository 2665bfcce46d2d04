// SPDX-License-Identifier: Apache-2.0
#include "adapters/registry.h"

#include "adapters/providers/anthropic.h"
#include "adapters/providers/bedrock.h"
#include "adapters/providers/cohere.h"
#include "adapters/providers/gemini.h"
#include "adapters/providers/ollama.h"
#include "adapters/providers/openai.h"
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
            {"/messages", "/models?limit=1000", "data", "id", ""}},
    Dialect{"gemini",
            "Gemini generateContent",
            &make_gemini_provider,
            {"/models/m:generateContent", "/models?pageSize=1000", "models", "name", "models/"}},
    Dialect{"ollama",
            "Ollama chat",
            &make_ollama_provider,
            {"/api/chat", "/api/tags", "models", "name", ""}},
    Dialect{"cohere",
            "Cohere chat",
            &make_cohere_provider,
            {"/v2/chat", "/v1/models?page_size=1000&endpoint=chat", "models", "name", ""}},
    Dialect{"bedrock", "AWS Bedrock converse", &make_bedrock_provider, k_no_list, &with_aws_region},
};

}  // namespace

const Dialect* find_dialect(std::string_view name) noexcept {
  const auto* found = std::find_if(k_dialects.begin(),
                                   k_dialects.end(),
                                   [name](const Dialect& dialect) { return dialect.name == name; });
  return found == k_dialects.end() ? nullptr : found;
}

std::vector<std::string> dialect_names() {
  std::vector<std::string> names;
  for (const Dialect& dialect : k_dialects) {
    names.emplace_back(dialect.name);
  }
  return names;
}

}  // namespace batchllm
