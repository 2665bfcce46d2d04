// SPDX-License-Identifier: Apache-2.0
#include "cli/provider_name.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

namespace batchllm {

const ProviderEntry& provider_named(const ModelCatalog& catalog, const std::string& name) {
  const ProviderEntry* entry = catalog.find_provider(name);
  if (entry == nullptr) {
    const auto names = catalog.provider_names();
    const auto near = nearest_name(name, names);
    throw Error(ErrorCode::model_unknown,
                fmt::format("there is no provider {}", one_line(name, 60)),
                near ? fmt::format("did you mean {}?", *near)
                     : fmt::format("providers are: {}", name_list(names, names.size())));
  }
  return *entry;
}

}  // namespace batchllm
