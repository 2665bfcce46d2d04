// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace batchllm::simulator {

// Appends the body that OpenAI's server usually sends with HTTP status `status` (400 to 599).
void append_status_error(std::string& out, int status);

}  // namespace batchllm::simulator
