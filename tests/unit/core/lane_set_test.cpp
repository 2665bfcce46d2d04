// SPDX-License-Identifier: Apache-2.0
#include "core/lane_set.h"

#include "tests/support/catch.h"

#include <memory>
#include <utility>

using namespace batchllm;

namespace {

constexpr TimePoint k_now{std::chrono::hours(1)};

LaneSettings settings_of(std::int64_t concurrency) {
  LaneSettings settings;
  settings.concurrency = concurrency;
  settings.most_concurrency = 100;
  return settings;
}

// Sends one of the lane's rows, which is told to wait.
void refuse_one(Lane& lane, std::int64_t retry_after_ms) {
  auto task = lane.take(k_now);
  REQUIRE(task != nullptr);
  REQUIRE(lane.retry(task, RowFailure::rate_limited, retry_after_ms, k_now));
}

}  // namespace

TEST_CASE("lanes count together, and the rows behind the first one apart", "[lane_set]") {
  LaneSet lanes(settings_of(2), {settings_of(3), settings_of(4)});
  CHECK(lanes.size() == 3);
  for (std::size_t i = 0; i < 9; ++i) {
    lanes.at(i % 3).add(std::make_unique<RowTask>());
  }
  CHECK(lanes.ready_count() == 9);
  CHECK(lanes.parked_count() == 6);
  CHECK(lanes.at(0).take(k_now) != nullptr);
  CHECK(lanes.at(1).take(k_now) != nullptr);
  CHECK(lanes.in_flight() == 2);
  CHECK(lanes.parked_count() == 5);
  refuse_one(lanes.at(2), 1000);
  CHECK(lanes.waiting_count() == 1);
  CHECK(lanes.parked_count() == 5);  // one that waits is parked, too
  lanes.limit_concurrency(50);
  CHECK(lanes.at(0).free_places() == 49);
  lanes.clear();
  CHECK(lanes.ready_count() + lanes.waiting_count() == 0);
  CHECK(lanes.in_flight() == 2);
}

TEST_CASE("all wait when every lane that has rows was told to", "[lane_set]") {
  LaneSet lanes(settings_of(2), {settings_of(2)});
  lanes.at(1).add(std::make_unique<RowTask>());
  refuse_one(lanes.at(1), 5000);
  CHECK(lanes.paused_ms(k_now) == 5000);  // the first has none
  lanes.at(0).add(std::make_unique<RowTask>());
  CHECK(lanes.paused_ms(k_now) == 0);
  refuse_one(lanes.at(0), 2000);
  CHECK(lanes.paused_ms(k_now) == 2000);
}
