// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace batchllm {

inline constexpr std::size_t k_csv_chunk_bytes = 64;
inline constexpr std::size_t k_csv_stretch_chunks = 64;

// One bit for each byte of a chunk.
using CsvMask = std::uint64_t;

}  // namespace batchllm
