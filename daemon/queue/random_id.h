// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm::daemon {

// `prefix` and 12 random base32 characters: "file_" -> "file_q4mz7ktw2ab5". Thread-safe.
std::string random_id(std::string_view prefix);

}  // namespace batchllm::daemon
