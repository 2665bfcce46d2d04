// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace batchllm {

// Counts durations to tell their quantiles: a fixed number of counters, so that any number of
// durations is held in the same memory. Not thread-safe.
class DurationCounts {
 public:
  // Milliseconds; less than nothing counts as nothing, more than a day as a day.
  void add(std::int64_t ms) noexcept;

  std::uint64_t count() const noexcept { return count_; }

  // The duration that `share` of them (0 to 1) do not exceed: exact up to 127 ms, else at most 1.6
  // % too long. Nullopt without any.
  std::optional<std::int64_t> quantile(double share) const noexcept;

 private:
  // As many steps to each doubling.
  static constexpr unsigned k_step_bits = 6;
  static constexpr std::uint64_t k_steps = std::uint64_t{1} << k_step_bits;
  static constexpr std::int64_t k_longest_ms = std::int64_t{24} * 3600 * 1000;
  static constexpr std::size_t k_counters = 22 * k_steps;

  static std::size_t counter_of(std::int64_t ms) noexcept;
  static std::int64_t longest_of(std::size_t counter) noexcept;

  std::array<std::uint64_t, k_counters> counters_{};
  std::uint64_t count_ = 0;
  std::int64_t longest_ms_ = 0;  // of those that came
};

}  // namespace batchllm
