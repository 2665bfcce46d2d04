// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"
#include "core/secret.h"

#include <optional>
#include <string>

namespace batchllm::secrets {

// The key that the keyring of the user's session (the D-Bus Secret Service) has under the
// attributes service=batchllm and provider=NAME; see secret-tool(1). nullopt when there is none,
// when there is no session bus, no such service, when it is locked, or when it does not answer
// within a second: a keyring is never waited for, and never asked to open. Source: Secret Service
// API 0.2.
std::optional<Secret> find_in_secret_service(const std::string& provider,
                                             const EnvironmentLookup& environment);

}  // namespace batchllm::secrets
