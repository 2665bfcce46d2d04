// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace batchllm::simulator {

// Numbers that look random and depend on their arguments only: equal requests are treated equally,
// in any order, on any connection, in any run with the same seed.

// One 64-bit value out of two (splitmix64's finaliser).
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t x = a ^ (b * 0x9E3779B97F4A7C15ULL + 0x9E3779B97F4A7C15ULL);
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

// Uniform in [0, 1).
constexpr double unit_draw(std::uint64_t bits) noexcept {
  return static_cast<double>(bits >> 11U) * 0x1.0p-53;
}

// Uniform in [0, size); `size` is not 0.
constexpr std::uint64_t index_draw(std::uint64_t bits, std::uint64_t size) noexcept {
  return mix(bits, size) % size;
}

}  // namespace batchllm::simulator
