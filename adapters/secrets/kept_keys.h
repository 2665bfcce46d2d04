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

// A key that lies neither in a variable nor in a file of its own.
struct KeptKey {
  Secret key;
  bool is_in_keyring = false;  // else in the key store
};

// The key that is kept for a provider; nullopt when there is none. Throws Error(vault_unreadable).
// Not thread-safe.
using FindKeptKey = std::function<std::optional<KeptKey>(const std::string& provider)>;

// Looks into the session's keyring where there is one, then into the key store of this user.
// `ask`: for the store's passphrase when no file has it; may be empty.
FindKeptKey kept_keys(const Directories& directories,
                      const EnvironmentLookup& environment,
                      AskPassphrase ask);

// The same store, for those who change it.
KeyStore open_key_store(const Directories& directories,
                        const EnvironmentLookup& environment,
                        AskPassphrase ask);

}  // namespace batchllm::secrets
