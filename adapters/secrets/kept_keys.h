// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/secrets/key_store.h"
#include "core/config_layers.h"
#include "core/directories.h"
#include "core/secret.h"

#include <functional>
#include <optional>
#include <string>

namespace batchllm::secrets {

// The key that is kept for a provider neither in a variable nor in a file of its own; nullopt when
// there is none. Throws Error(vault_unreadable). Not thread-safe.
using FindKeptKey = std::function<std::optional<Secret>(const std::string& provider)>;

// Looks into the key store of this user. `ask`: for its passphrase when no file has it; may be
// empty.
FindKeptKey kept_keys(const Directories& directories,
                      const EnvironmentLookup& environment,
                      AskPassphrase ask);

// The same store, for those who change it.
KeyStore open_key_store(const Directories& directories,
                        const EnvironmentLookup& environment,
                        AskPassphrase ask);

}  // namespace batchllm::secrets
