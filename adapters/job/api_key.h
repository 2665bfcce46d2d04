// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_catalog.h"
#include "core/config_layers.h"
#include "core/job_settings.h"

#include <string>

namespace batchllm {

// Finds the key for a provider: --key-file, --key-env, the provider's variable, the file that
// <VARIABLE>_FILE names, the same for its second variable, the systemd credential of the provider's
// name. Empty when the provider
// needs none (a local server, one with credentials of its own, any server given by --base-url) and
// none is there. Throws
// Error(key_missing) listing where it looked.
//
// Variables are asked for by name and nothing else is read for them: who keeps keys elsewhere
// answers `key_env` of the provider's entry (or of the settings) with the key itself, and nullopt
// to NAME_FILE and CREDENTIALS_DIRECTORY. A caller who may choose `key_env` and `base_url` gets the
// value of every variable that the lookup answers.
std::string find_api_key(const ProviderEntry& provider,
                         const ModelSettings& model,
                         const EnvironmentLookup& environment);

}  // namespace batchllm
