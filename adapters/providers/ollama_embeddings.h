// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// Ollama's embeddings (POST {base_url}/api/embed). Source: Ollama API, "Generate embeddings". A
// text that is too long for the model's window is refused, not cut.
std::unique_ptr<Provider> make_ollama_embeddings(ModelRequest request);

}  // namespace batchllm
