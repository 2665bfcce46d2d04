// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm {

// `text` with everything that has the shape of a secret replaced by "***": API keys by their known
// beginnings ("sk-", "gsk_", "AIza", ...), what follows "Bearer ", passwords in URLs. A safety net
// for logs, below the rule that secrets are never written there.
std::string redacted(std::string_view text);

}  // namespace batchllm
