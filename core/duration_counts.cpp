// SPDX-License-Identifier: Apache-2.0
#include "core/duration_counts.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace batchllm {

void DurationCounts::add(std::int64_t ms) noexcept {
  const std::int64_t counted = std::clamp<std::int64_t>(ms, 0, k_longest_ms);
  ++counters_[counter_of(counted)];
  ++count_;
  longest_ms_ = std::max(longest_ms_, counted);
}

// Up to k_steps each millisecond has its own; beyond that each doubling has k_steps.
std::size_t DurationCounts::counter_of(std::int64_t ms) noexcept {
  const auto value = static_cast<std::uint64_t>(ms);
  const auto bits = static_cast<unsigned>(std::bit_width(value));
  const unsigned doublings = bits > k_step_bits ? bits - k_step_bits : 0;
  if (doublings == 0) {
    return value;
  }
  const std::uint64_t step = (value >> (doublings - 1)) - k_steps;
  return doublings * k_steps + step;
}

std::int64_t DurationCounts::longest_of(std::size_t counter) noexcept {
  const auto doublings = static_cast<unsigned>(counter >> k_step_bits);
  if (doublings == 0) {
    return static_cast<std::int64_t>(counter);
  }
  const std::uint64_t step = counter % k_steps;
  return static_cast<std::int64_t>(((k_steps + step + 1) << (doublings - 1)) - 1);
}

std::optional<std::int64_t> DurationCounts::quantile(double share) const noexcept {
  if (count_ == 0) {
    return std::nullopt;
  }
  const auto wanted = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t counter = 0; counter < k_counters; ++counter) {
    seen += counters_[counter];
    if (seen >= wanted) {
      return std::min(longest_of(counter), longest_ms_);
    }
  }
  return longest_ms_;
}

}  // namespace batchllm
