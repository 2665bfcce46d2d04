// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace batchllm {

// Throws what writing to `name` failing with `error` (an errno value) means: Error(storage_full)
// when there is no room, else Error(storage); a closed pipe has the detail closed=yes.
[[noreturn]] void throw_storage_error(const std::string& name, int error);

}  // namespace batchllm
