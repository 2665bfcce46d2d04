// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/dialect.h"

namespace batchllm::simulator {

// The dialects, each in the file of its name. What they say comes from the providers' references.
extern const Dialect k_openai;     // /v1/chat/completions, embeddings, models
extern const Dialect k_responses;  // /v1/responses
extern const Dialect k_azure;      // /openai/deployments/NAME/…?api-version=…, /openai/v1/…
extern const Dialect k_anthropic;  // /v1/messages, /v1/models with the header anthropic-version
extern const Dialect k_gemini;     // /v1beta/models/NAME:generateContent …
extern const Dialect k_bedrock;    // /model/NAME/converse
extern const Dialect k_ollama;     // /api/chat, generate, embed, tags, show, version
extern const Dialect k_cohere;     // /v2/chat, /v2/embed, /v1/models?page_size= …
extern const Dialect k_mistral;    // /mistral/v1/…, which is OpenAI's with its differences

}  // namespace batchllm::simulator
