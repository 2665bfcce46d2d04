// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace batchllm {

// One row of `batchllm help exit-codes` and of the man page.
struct ExitCodeText {
  std::string_view code;  // "130 / 143"
  std::string_view name;
  std::string_view meaning;
  std::string_view what_helps;
};

std::span<const ExitCodeText> exit_code_table() noexcept;

}  // namespace batchllm
