// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/job_environment.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::string_view k_file_suffix = "_FILE";

// `name` is the variable or the one that names a file with its value.
bool is_variable_of(std::string_view name, std::string_view variable) noexcept {
  return !variable.empty() && name.starts_with(variable) &&
         (name.size() == variable.size() || name.substr(variable.size()) == k_file_suffix);
}

bool is_of_a_provider(const ModelCatalog& models, std::string_view name) {
  const auto& providers = models.providers();
  return std::any_of(providers.begin(), providers.end(), [name](const ProviderEntry& entry) {
    return is_variable_of(name, entry.key_env) || is_variable_of(name, entry.key_env_too) ||
           (!entry.base_url_env.empty() && name == entry.base_url_env);
  });
}

bool may_know(const RunOrder& order,
              const ModelCatalog& models,
              bool names_server,
              std::string_view name) {
  // The folder is the service manager's, with a file for each provider.
  const bool is_for_providers = name == "CREDENTIALS_DIRECTORY" || is_of_a_provider(models, name);
  return order.trusts_environment || (is_for_providers && !names_server) ||
         std::any_of(order.variables.begin(),
                     order.variables.end(),
                     [name](const std::string& allowed) { return is_variable_of(name, allowed); });
}

}  // namespace

EnvironmentLookup job_environment(const RunOrder& order,
                                  const ModelCatalog& models,
                                  bool names_server,
                                  EnvironmentLookup process) {
  return [&order, &models, names_server, process = std::move(process)](
             const std::string& name) -> std::optional<std::string> {
    for (const auto& [variable, secret] : order.keys) {
      if (variable == name) {
        return secret;
      }
    }
    return may_know(order, models, names_server, name) ? process(name) : std::nullopt;
  };
}

}  // namespace batchllm::daemon
