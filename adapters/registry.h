// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// A provider that a model spec can name ("openai" in openai/gpt-4o-mini) and what sets it apart.
// All speak OpenAI's chat completions.
struct ProviderEntry {
  std::string_view name;
  std::string_view title;  // for messages
  std::string_view base_url;
  std::string_view base_url_env;      // overrides base_url; empty: none
  std::string_view key_env;           // where its key is looked for; empty: it needs none
  std::string_view token_limit_name;  // what it calls the limit of an answer's tokens
};

// nullptr when there is none of that name.
const ProviderEntry* find_provider(std::string_view name) noexcept;

std::vector<std::string> provider_names();

}  // namespace batchllm
