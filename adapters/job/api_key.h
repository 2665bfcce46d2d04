// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_catalog.h"
#include "adapters/secrets/kept_keys.h"
#include "core/config_layers.h"
#include "core/job_settings.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Where a key may lie, in the order in which it is looked for.
enum class KeyPlace : std::uint8_t {
  key_file,
  environment,
  environment_file,
  credential,
  secret_service,
  store
};

// "environment", "key_store", … for documents.
std::string_view key_place_name(KeyPlace place) noexcept;

KeyPlace key_place_of(secrets::KeptIn place) noexcept;

struct FoundKey {
  std::string key;  // secret
  KeyPlace place = KeyPlace::environment;
  std::string origin;  // for people: "OPENAI_API_KEY", "/run/credentials/…/openai", "the key store"
  std::string file;    // that it was read from; empty: none
};

// Looks for the key of a provider: --key-file, --key-env, the provider's variable, the file that
// <VARIABLE>_FILE names, the same for its second variable, the systemd credential of the provider's
// name, and what is kept for it elsewhere (`kept`, may be empty; not with --key-env). nullopt when
// it is nowhere; `looked_in` gets every place. What is found is told to core/redaction. Throws
// Error(key_missing) for a place that holds no usable key, and what `kept` throws.
//
// Variables are asked for by name and nothing else is read for them: who keeps keys elsewhere
// answers `key_env` of the provider's entry (or of the settings) with the key itself, and nullopt
// to NAME_FILE and CREDENTIALS_DIRECTORY. A caller who may choose `key_env` and `base_url` gets the
// value of every variable that the lookup answers, and what `kept` does.
std::optional<FoundKey> look_for_key(const ProviderEntry& provider,
                                     const ModelSettings& model,
                                     const EnvironmentLookup& environment,
                                     const secrets::FindKeptKey& kept,
                                     std::vector<std::string>& looked_in);

// The key that requests are sent with. Empty when the provider needs none (a local server, one with
// credentials of its own, any server given by --base-url) and none is there. Throws as above, and
// Error(key_missing) listing where it looked.
std::string find_api_key(const ProviderEntry& provider,
                         const ModelSettings& model,
                         const EnvironmentLookup& environment,
                         const secrets::FindKeptKey& kept = {});

// A key goes into a header: one line of visible ASCII. Blanks around it are dropped. Throws
// Error(key_missing) naming `origin` for what is none.
std::string checked_key(std::string_view text, const std::string& origin);

// Tells core/redaction the secrets that lie in the environment: the keys of every provider, those
// of AWS, passwords of proxies.
void remember_environment_secrets(const ModelCatalog& models, const EnvironmentLookup& environment);

}  // namespace batchllm
