// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm::daemon {

// The header's value for a download under `name` (RFC 6266): never shown in the browser, and safe
// whatever the name holds.
std::string content_disposition(std::string_view name);

}  // namespace batchllm::daemon
