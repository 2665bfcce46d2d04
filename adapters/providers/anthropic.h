// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>

namespace batchllm {

// Anthropic's messages (POST {base_url}/v1/messages), in their version 2023-06-01: the later one
// refuses every temperature. Source: Claude API reference, "Messages", "API errors", "Versioning".
//
// Of the traits, `effort` is "output_config.effort", or "thinking.budget_tokens" for models that
// are told a number of tokens. Throws Error(usage) when the request has no limit for the answer's
// tokens, which the API asks for.
std::unique_ptr<Provider> make_anthropic_provider(ModelRequest request);

}  // namespace batchllm
