// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/job_environment.h"

#include "adapters/registry.h"

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

bool is_of_a_provider(std::string_view name) {
  const auto names = provider_names();
  return std::any_of(names.begin(), names.end(), [name](const std::string& provider) {
    const ProviderEntry& entry = *find_provider(provider);
    return is_variable_of(name, entry.key_env) ||
           (!entry.base_url_env.empty() && name == entry.base_url_env);
  });
}

bool may_know(const RunOrder& order, std::string_view name) {
  // A folder, not a secret: the service manager's, with a file for each provider.
  return order.trusts_environment || name == "CREDENTIALS_DIRECTORY" || is_of_a_provider(name) ||
         std::any_of(order.variables.begin(),
                     order.variables.end(),
                     [name](const std::string& allowed) { return is_variable_of(name, allowed); });
}

}  // namespace

EnvironmentLookup job_environment(const RunOrder& order, EnvironmentLookup process) {
  return [&order,
          process = std::move(process)](const std::string& name) -> std::optional<std::string> {
    for (const auto& [variable, secret] : order.keys) {
      if (variable == name) {
        return secret;
      }
    }
    return may_know(order, name) ? process(name) : std::nullopt;
  };
}

}  // namespace batchllm::daemon
