// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// Gemini's embeddings (POST {base_url}/v1beta/models/MODEL:batchEmbedContents). Source: Gemini API
// reference, "Embeddings". --param taskType=… says what the vectors are for.
std::unique_ptr<Provider> make_gemini_embeddings(ModelRequest request);

}  // namespace batchllm
