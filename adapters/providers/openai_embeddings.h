// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// Embeddings of OpenAI and of every server that speaks the same (POST {base_url}/embeddings).
// Source: OpenAI API reference, "Create embeddings".
//
// Of the traits, `vectors` is "base64" where the server can send them so: a quarter of the bytes.
std::unique_ptr<Provider> make_openai_embeddings(ModelRequest request);

}  // namespace batchllm
