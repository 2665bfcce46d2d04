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

constexpr std::array k_dialects = {
    Dialect{"openai", "OpenAI chat completions", &make_openai_provider},
    Dialect{"responses", "OpenAI responses", &make_responses_provider},
    Dialect{"anthropic", "Anthropic messages", &make_anthropic_provider},
    Dialect{"gemini", "Gemini generateContent", &make_gemini_provider},
    Dialect{"ollama", "Ollama chat", &make_ollama_provider},
    Dialect{"cohere", "Cohere chat", &make_cohere_provider},
    Dialect{"bedrock", "AWS Bedrock converse", &make_bedrock_provider, &with_aws_region},
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
