// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace batchllm {

// The bytes of share/prices.json, compiled in so that the program works without being installed. In
// pieces, because compilers need not accept longer literals than 64 KiB.
std::span<const std::string_view> built_in_prices_json() noexcept;

}  // namespace batchllm
