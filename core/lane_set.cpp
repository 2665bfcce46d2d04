// SPDX-License-Identifier: Apache-2.0
#include "core/lane_set.h"

#include <algorithm>
#include <optional>

namespace batchllm {

LaneSet::LaneSet(const LaneSettings& first, const std::vector<LaneSettings>& others) {
  lanes_.reserve(others.size() + 1);
  lanes_.emplace_back(first);
  for (const LaneSettings& settings : others) {
    lanes_.emplace_back(settings);
  }
}

std::int64_t LaneSet::in_flight() const noexcept {
  std::int64_t sum = 0;
  for (const Lane& lane : lanes_) {
    sum += lane.in_flight();
  }
  return sum;
}

std::size_t LaneSet::ready_count() const noexcept {
  std::size_t sum = 0;
  for (const Lane& lane : lanes_) {
    sum += lane.ready_count();
  }
  return sum;
}

std::size_t LaneSet::waiting_count() const noexcept {
  std::size_t sum = 0;
  for (const Lane& lane : lanes_) {
    sum += lane.waiting_count();
  }
  return sum;
}

std::size_t LaneSet::parked_count() const noexcept {
  const Lane& first = lanes_.front();
  return ready_count() + waiting_count() - first.ready_count() - first.waiting_count();
}

std::int64_t LaneSet::paused_ms(TimePoint now) const {
  std::optional<std::int64_t> shortest;
  for (const Lane& lane : lanes_) {
    if (lane.in_flight() != 0 || lane.ready_count() != 0 || lane.waiting_count() != 0) {
      shortest = std::min(shortest.value_or(lane.paused_ms(now)), lane.paused_ms(now));
    }
  }
  return shortest.value_or(0);
}

void LaneSet::limit_concurrency(std::int64_t rows) noexcept {
  for (Lane& lane : lanes_) {
    lane.limit_concurrency(rows);
  }
}

void LaneSet::clear() {
  for (Lane& lane : lanes_) {
    lane.clear();
  }
}

}  // namespace batchllm
