// SPDX-License-Identifier: Apache-2.0
// The Error that an action throws, as a value to check.
#pragma once

#include "core/error.h"

#include <optional>

namespace batchllm {

template <typename Action>
std::optional<Error> thrown_error(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace batchllm
