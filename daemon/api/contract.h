// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace batchllm::daemon {

// The bytes of share/openapi.json, compiled in: what the daemon promises is what it was built with.
std::string_view openapi_document() noexcept;

}  // namespace batchllm::daemon
