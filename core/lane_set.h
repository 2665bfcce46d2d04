// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"
#include "core/lane.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace batchllm {

// The lanes of a run, each for one endpoint of its transport and under the same number: one for the
// requests of a job of one step, and one more for every other address that later steps ask.
// Network thread.
class LaneSet {
 public:
  LaneSet(const LaneSettings& first, const std::vector<LaneSettings>& others);

  std::size_t size() const noexcept { return lanes_.size(); }

  Lane& at(std::size_t number) { return lanes_[number]; }

  const Lane& at(std::size_t number) const { return lanes_[number]; }

  // Of all of them.
  std::int64_t in_flight() const noexcept;
  std::size_t ready_count() const noexcept;
  std::size_t waiting_count() const noexcept;

  // The rows that have begun and wait in lanes behind the first, where they do not hold up reading
  // by themselves.
  std::size_t parked_count() const noexcept;

  // How long every lane that has rows was asked to wait, from now on; 0: one of them was not.
  std::int64_t paused_ms(TimePoint now) const;

  // The limit of each.
  void limit_concurrency(std::int64_t rows) noexcept;

  // Gives up rows that were not sent.
  void clear();

 private:
  std::vector<Lane> lanes_;
};

}  // namespace batchllm
