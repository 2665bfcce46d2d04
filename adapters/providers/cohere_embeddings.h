// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// Cohere's embeddings (POST {base_url}/v2/embed). Source: Cohere API reference, "Embed (v2)".
// --param input_type=… says what the vectors are for; "search_document" without it. A text that is
// too long is refused, not cut.
std::unique_ptr<Provider> make_cohere_embeddings(ModelRequest request);

}  // namespace batchllm
