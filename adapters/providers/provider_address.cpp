// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/provider_address.h"

#include "adapters/providers/base_url.h"
#include "adapters/registry.h"

#include <utility>

namespace batchllm {

ProviderAddress address_of(const ProviderEntry& entry,
                           const std::string& chosen,
                           const EnvironmentLookup& environment) {
  std::string other = chosen;
  if (other.empty() && !entry.base_url_env.empty()) {
    other = environment(entry.base_url_env).value_or("");
  }
  if (!other.empty()) {
    const bool is_own = other == entry.base_url;
    return {std::move(other), is_own};
  }
  const Dialect& dialect = *find_dialect(entry.dialect);
  return {expand_base_url(
              entry.base_url,
              dialect.with_defaults == nullptr ? environment : dialect.with_defaults(environment)),
          true};
}

}  // namespace batchllm
