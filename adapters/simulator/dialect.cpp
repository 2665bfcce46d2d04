// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialect.h"

#include "adapters/simulator/dialects/dialect_list.h"

#include <array>

namespace batchllm::simulator {
namespace {

// Asked in this order. Anthropic and Cohere before OpenAI, which share the address of its models.
constexpr std::array<const Dialect*, 9> k_dialects = {&k_anthropic,
                                                      &k_cohere,
                                                      &k_openai,
                                                      &k_responses,
                                                      &k_azure,
                                                      &k_gemini,
                                                      &k_bedrock,
                                                      &k_ollama,
                                                      &k_mistral};

// Clients put "/v1" before an address or leave it out: one base URL is good for all dialects.
std::string_view without_version(std::string_view path) {
  return path.starts_with("/v1/") ? path.substr(3) : path;
}

}  // namespace

DialectChoice find_dialect(const SimulatedRequest& request) {
  const std::string_view path = without_version(request.path);
  for (const Dialect* dialect : k_dialects) {
    if (auto route = dialect->find(request, path)) {
      return {dialect, *route};
    }
  }
  return {&k_openai, Route{.endpoint = Endpoint::nothing}};
}

}  // namespace batchllm::simulator
