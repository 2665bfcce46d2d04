// SPDX-License-Identifier: Apache-2.0
#include "core/token_estimate.h"

namespace batchllm {

TokenEstimate estimate_tokens(std::string_view text) noexcept {
  const auto bytes = static_cast<std::int64_t>(text.size());
  return {(bytes + 3) / 4, (bytes + 1) / 2};
}

}  // namespace batchllm
