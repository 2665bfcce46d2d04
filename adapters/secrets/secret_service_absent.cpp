// SPDX-License-Identifier: Apache-2.0
// For builds without libsystemd: there is no keyring.
#include "adapters/secrets/secret_service.h"

namespace batchllm::secrets {

std::optional<Secret> find_in_secret_service(const std::string& /*provider*/,
                                             const EnvironmentLookup& /*environment*/) {
  return std::nullopt;
}

}  // namespace batchllm::secrets
