// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "adapters/providers/wire_error.h"
#include "core/provider.h"

#include <memory>
#include <optional>

namespace batchllm {

// Cohere's chat (POST {base_url}/v2/chat). Source: Cohere API reference, "Chat (v2)", "Errors".
//
// Of the traits, `effort` is "thinking.token_budget": how many tokens the model may think.
std::unique_ptr<Provider> make_cohere_provider(ModelRequest request);

// What an error means by Cohere's own words; nullopt: by the rules for all.
std::optional<RowFailure> cohere_failure(int status, const wire::ErrorBody& error);

}  // namespace batchllm
