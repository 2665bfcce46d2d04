// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_model.h"

#include "adapters/job/api_key.h"
#include "adapters/providers/openai.h"
#include "adapters/registry.h"
#include "core/json_text.h"
#include "core/model_spec.h"

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

// Held back for a row when neither --max-tokens nor the price table says how long an answer can be.
constexpr std::int64_t k_unknown_output_tokens = 16'384;

// A value of --param as JSON: what is JSON already stays, everything else is a string.
std::string parameter_json(const std::string& value) {
  return is_json(value) ? value : json_string(value);
}

std::string base_url_of(const ProviderEntry& entry,
                        const ModelSettings& model,
                        const EnvironmentLookup& environment) {
  if (!model.base_url.empty()) {
    return model.base_url;
  }
  if (!entry.base_url_env.empty()) {
    if (const auto url = environment(std::string(entry.base_url_env)); url && !url->empty()) {
      return *url;
    }
  }
  return std::string(entry.base_url);
}

}  // namespace

JobModel make_model(const JobSettings& settings,
                    const EnvironmentLookup& environment,
                    bool with_key) {
  const ModelSpec spec = parse_model_spec(settings.model.model, provider_names());
  const ProviderEntry& entry = *find_provider(spec.provider);
  ChatModel chat;
  chat.name = spec.model;
  chat.base_url = base_url_of(entry, settings.model, environment);
  chat.key = with_key ? find_api_key(entry, settings.model, environment) : std::string();
  const bool is_own_server = chat.base_url == entry.base_url;
  chat.token_limit_name = is_own_server ? entry.token_limit_name : std::string_view("max_tokens");
  chat.max_tokens = settings.model.max_tokens;
  chat.temperature = settings.model.temperature;
  for (const auto& [name, value] : settings.model.parameters) {
    chat.parameters.emplace_back(name, parameter_json(value));
  }
  chat.ca_file = settings.model.ca_file;
  chat.http2 = settings.model.http2;

  JobModel model;
  model.endpoint = chat.base_url;
  model.provider_title = entry.title;
  model.price = PriceTable::built_in().find(spec);
  model.worst_case_output_tokens =
      settings.model.max_tokens ? *settings.model.max_tokens
      : model.price && model.price->max_output_tokens
          ? std::min(*model.price->max_output_tokens, k_unknown_output_tokens)
          : k_unknown_output_tokens;
  model.provider = make_openai_provider(std::move(chat));
  return model;
}

}  // namespace batchllm
