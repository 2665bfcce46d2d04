// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// OpenAI's responses (POST {base_url}/responses), which some of its models speak alone. Nothing is
// stored at the provider unless --param store=true asks for it. Source: OpenAI API reference,
// "Create a model response".
std::unique_ptr<Provider> make_responses_provider(ModelRequest request);

}  // namespace batchllm
