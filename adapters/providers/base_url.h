// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"
#include "core/transport.h"

#include <string>

namespace batchllm {

// Splits a base URL: "https://host/v1", "unix:/path.sock", "unix:/path.sock:/v1" or
// "http+unix://%2Fpath.sock/v1". Throws Error(usage) for anything else and for URLs with a
// password.
HttpEndpoint parse_base_url(const std::string& base_url);

// Puts variables of the environment where a base URL names them: {AZURE_OPENAI_ENDPOINT}, or
// {AWS_REGION|AWS_DEFAULT_REGION} for the first that is set. Slashes at the end of a value do not
// double. Throws Error(usage) naming the variables when none is set. For base URLs that the user's
// files or the program wrote, never for one that came with a job: it would give away any variable.
std::string expand_base_url(const std::string& base_url, const EnvironmentLookup& environment);

}  // namespace batchllm
