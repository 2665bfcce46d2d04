// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/transport.h"

#include <string>

namespace batchllm {

// Splits a base URL: "https://host/v1", "unix:/path.sock", "unix:/path.sock:/v1" or
// "http+unix://%2Fpath.sock/v1". Throws Error(usage) for anything else and for URLs with a
// password.
HttpEndpoint parse_base_url(const std::string& base_url);

}  // namespace batchllm
