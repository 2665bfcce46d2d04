// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "core/provider.h"

#include <memory>
#include <string>
#include <string_view>

namespace batchllm {

// Ollama's own chat (POST {base_url}/api/chat), which unlike its OpenAI-compatible one lets the
// window be set: without that, the front of a long prompt is dropped in silence. Source: Ollama
// documentation, "API", "Context length", "FAQ".
//
// Every request has the same window, for another one loads the model anew: --param num_ctx, else
// the trait `context_tokens`, else 8192 or 4096 more than --max-tokens, whichever is larger. A
// prompt that does not fit is an error. Parameters are options of the model but for those that
// stand beside them (think, keep_alive, format …).
std::unique_ptr<Provider> make_ollama_provider(ModelRequest request);

// An address as OLLAMA_HOST may have it, as a URL: "myhost", ":8080", "0.0.0.0:11434",
// "http://h:1/v1". Where a server listens on every address it is asked on this machine's own.
std::string ollama_base_url(std::string_view address);

}  // namespace batchllm
