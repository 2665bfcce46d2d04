// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_encoder.h"
#include "core/row_source.h"

#include <cstdint>
#include <vector>

namespace batchllm {

// Chooses `count` of the rows that pass --where, evenly and always the same for the same seed, in
// one pass over the input. Returns their row indexes in ascending order. `encoder` must be bound to
// its own columns.
std::vector<std::uint64_t> sample_rows(RowSource& source,
                                       const RowEncoder& encoder,
                                       std::uint64_t count,
                                       std::uint64_t seed);

}  // namespace batchllm
