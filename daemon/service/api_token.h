// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace batchllm::daemon {

// The secret that callers on TCP must send: the first line of the file. Where there is no file, it
// is made with a random token, mode 0600, and the folders above it. Throws Error(config_invalid)
// for a token shorter than 16 characters, for one that a header cannot carry and for a file that
// others may read; Error(storage) when it cannot be read or made.
std::string load_api_token(const std::string& file);

}  // namespace batchllm::daemon
