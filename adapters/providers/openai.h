// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/provider.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// What a request for a chat model needs to know besides the prompt.
struct ChatModel {
  std::string name;              // the provider's name for it, without "provider/"
  std::string base_url;          // with /v1, without a slash at the end
  std::string key;               // secret; empty: no Authorization header
  std::string token_limit_name;  // "max_tokens", or "max_completion_tokens" where that is refused
  std::optional<std::int64_t> max_tokens;
  std::optional<double> temperature;
  std::vector<std::pair<std::string, std::string>> parameters;  // name -> JSON text
  std::string ca_file;
  bool http2 = false;
};

// Chat completions of OpenAI and of every server that speaks the same (POST
// {base_url}/chat/completions). Source: OpenAI API reference, "Create chat completion".
std::unique_ptr<Provider> make_openai_provider(ChatModel model);

}  // namespace batchllm
