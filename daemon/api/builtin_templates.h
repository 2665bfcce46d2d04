// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace batchllm::daemon {

// A file of share/templates, compiled in: its name without ".toml" is that of a task type.
struct BuiltinTemplate {
  std::string_view name;
  std::string_view toml;
};

// In no order.
std::span<const BuiltinTemplate> builtin_templates() noexcept;

}  // namespace batchllm::daemon
