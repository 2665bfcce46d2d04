// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace batchllm::daemon {

// The style sheet of the page that shows the contract.
std::string_view docs_style() noexcept;

}  // namespace batchllm::daemon
