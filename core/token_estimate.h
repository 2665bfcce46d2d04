// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace batchllm {

// How many tokens a text probably has, without a tokenizer.
struct TokenEstimate {
  std::int64_t mean = 0;   // for display
  std::int64_t upper = 0;  // for reserving budget: rarely too low
};

// Estimates by classes of bytes in one pass (about 0.2 ns a byte). The weights are documented in
// token_estimate.cpp.
TokenEstimate estimate_tokens(std::string_view text) noexcept;

}  // namespace batchllm
