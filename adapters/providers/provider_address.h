// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_catalog.h"
#include "core/config_layers.h"

#include <string>

namespace batchllm {

struct ProviderAddress {
  std::string url;      // a base URL, as parse_base_url takes it
  bool is_own = false;  // of the provider, not of some other server
};

// Where requests to a provider go: `chosen` (--base-url) unless it is empty, else what its variable
// says, else its own address. Throws Error(usage) when that needs a variable which is not set.
ProviderAddress address_of(const ProviderEntry& entry,
                           const std::string& chosen,
                           const EnvironmentLookup& environment);

}  // namespace batchllm
