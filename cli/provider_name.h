// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_catalog.h"

#include <string>

namespace batchllm {

// The provider of that name. Throws Error(model_unknown) with the nearest name.
const ProviderEntry& provider_named(const ModelCatalog& catalog, const std::string& name);

}  // namespace batchllm
