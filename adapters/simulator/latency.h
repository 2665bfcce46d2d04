// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace batchllm::simulator {

// How long the simulator waits before it answers. A plain value; default: not at all.
class Latency {
 public:
  // "300ms", "fixed:300ms", "uniform:200ms,1500ms", "exponential:400ms" (mean) or
  // "lognormal:400ms,0.5" (median, sigma of the logarithm). Throws Error(usage).
  static Latency parse(std::string_view text);

  bool is_none() const noexcept { return kind_ == Kind::none; }

  // The wait in microseconds that belongs to `bits`; ten minutes at most.
  std::int64_t draw_us(std::uint64_t bits) const noexcept;

 private:
  enum class Kind : std::uint8_t { none, fixed, uniform, exponential, lognormal };

  Kind kind_ = Kind::none;
  double first_ms_ = 0;  // fixed, least, mean or median
  double second_ = 0;    // greatest in ms, or sigma
};

}  // namespace batchllm::simulator
