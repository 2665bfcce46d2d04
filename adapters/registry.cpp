// SPDX-License-Identifier: Apache-2.0
#include "adapters/registry.h"

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

constexpr std::array k_providers = {
    ProviderEntry{"openai",
                  "OpenAI",
                  "https://api.openai.com/v1",
                  "OPENAI_BASE_URL",
                  "OPENAI_API_KEY",
                  "max_completion_tokens"},
    ProviderEntry{
        "groq", "Groq", "https://api.groq.com/openai/v1", "", "GROQ_API_KEY", "max_tokens"},
    ProviderEntry{"openrouter",
                  "OpenRouter",
                  "https://openrouter.ai/api/v1",
                  "",
                  "OPENROUTER_API_KEY",
                  "max_tokens"},
    ProviderEntry{"deepseek",
                  "DeepSeek",
                  "https://api.deepseek.com/v1",
                  "",
                  "DEEPSEEK_API_KEY",
                  "max_tokens"},
    ProviderEntry{"together",
                  "Together",
                  "https://api.together.xyz/v1",
                  "",
                  "TOGETHER_API_KEY",
                  "max_tokens"},
    ProviderEntry{
        "mistral", "Mistral", "https://api.mistral.ai/v1", "", "MISTRAL_API_KEY", "max_tokens"},
    ProviderEntry{"ollama", "Ollama", "http://127.0.0.1:11434/v1", "", "", "max_tokens"},
    ProviderEntry{"llamacpp", "llama.cpp", "http://127.0.0.1:8080/v1", "", "", "max_tokens"},
    ProviderEntry{"lmstudio", "LM Studio", "http://127.0.0.1:1234/v1", "", "", "max_tokens"},
    ProviderEntry{"vllm", "vLLM", "http://127.0.0.1:8000/v1", "", "", "max_tokens"},
    ProviderEntry{"simulator", "the simulator", "http://127.0.0.1:8421/v1", "", "", "max_tokens"},
};

}  // namespace

const ProviderEntry* find_provider(std::string_view name) noexcept {
  const auto* found =
      std::find_if(k_providers.begin(), k_providers.end(), [name](const ProviderEntry& entry) {
        return entry.name == name;
      });
  return found == k_providers.end() ? nullptr : found;
}

std::vector<std::string> provider_names() {
  std::vector<std::string> names;
  for (const auto& entry : k_providers) {
    names.emplace_back(entry.name);
  }
  return names;
}

}  // namespace batchllm
