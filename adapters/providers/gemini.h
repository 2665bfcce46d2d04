// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// Google's generateContent (POST {base_url}/v1beta/models/{model}:generateContent). Source: Gemini
// API reference, "Generating content", "Troubleshooting guide"; google.rpc error details.
//
// Of the traits, `effort` is "thinkingConfig.thinkingLevel", or "thinkingConfig.thinkingBudget" for
// models that are told a number of tokens. Parameters go into generationConfig, but for those that
// stand beside it (safetySettings, tools, toolConfig, cachedContent, labels).
std::unique_ptr<Provider> make_gemini_provider(ModelRequest request);

}  // namespace batchllm
