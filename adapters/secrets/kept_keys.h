// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/secrets/key_store.h"
#include "adapters/secrets/secret_service.h"
#include "core/config_layers.h"
#include "core/directories.h"
#include "core/secret.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::secrets {

// Where keys are kept, in the order in which they are looked for.
enum class KeptIn : std::uint8_t { secret_service, key_store };

// "the Secret Service", "the key store", for people.
std::string_view kept_in_name(KeptIn place) noexcept;

struct KeptKey {
  Secret key;
  KeptIn place = KeptIn::key_store;
};

// The key that is kept for a provider neither in a variable nor in a file of its own; nullopt when
// there is none. `looked_in` gets the places that were looked at, for people, with what was wrong
// there: a Secret Service that fails is passed over. Throws Error(key_store_locked) for a key that
// is there and locked, Error(vault_unreadable). Not thread-safe.
using FindKeptKey = std::function<std::optional<KeptKey>(const std::string& provider,
                                                         std::vector<std::string>& looked_in)>;

// Looks into the Secret Service, then into the key store of this user. `ask`: for the store's
// passphrase when no file has it; may be empty. `service` is shared with those who change it, so
// that one connection and one wait serve all; none: one of its own.
FindKeptKey kept_keys(const Directories& directories,
                      const EnvironmentLookup& environment,
                      AskPassphrase ask,
                      std::shared_ptr<SecretService> service = nullptr);

// The same store, for those who change it.
KeyStore open_key_store(const Directories& directories,
                        const EnvironmentLookup& environment,
                        AskPassphrase ask);

}  // namespace batchllm::secrets
