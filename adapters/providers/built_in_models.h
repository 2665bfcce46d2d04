// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace batchllm {

// The bytes of share/models.toml, compiled in so that the program works without being installed.
std::span<const std::string_view> built_in_models_toml() noexcept;

}  // namespace batchllm
