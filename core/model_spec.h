// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Which model of which provider: `openai/gpt-4o-mini`. The model part is what the provider's API
// takes and may itself contain slashes and colons (`openrouter/google/gemma-4:free`).
struct ModelSpec {
  std::string provider;
  std::string model;

  std::string text() const { return provider + "/" + model; }
};

// Reads a model spec. `providers` are the known names. Throws Error(usage) when it is not of the
// form provider/model, with the likely provider as hint, and Error(model_unknown) for an unknown
// provider, with the nearest name.
ModelSpec parse_model_spec(std::string_view text, const std::vector<std::string>& providers);

}  // namespace batchllm
