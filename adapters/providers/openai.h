// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// Chat completions of OpenAI and of every server that speaks the same (POST
// {base_url}/chat/completions). Source: OpenAI API reference, "Create chat completion".
std::unique_ptr<Provider> make_openai_provider(ModelRequest request);

}  // namespace batchllm
