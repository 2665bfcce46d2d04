// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace batchllm {

// Raises the limit of open files to what `connections` need; returns how many connections the limit
// allows.
std::size_t allow_connections(std::size_t connections);

}  // namespace batchllm
