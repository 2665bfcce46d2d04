// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/deadline_list.h"

#include "tests/support/catch.h"

#include <array>
#include <vector>

using namespace batchllm;

namespace {

TimePoint at(int ms) {
  return TimePoint{} + Milliseconds(ms);
}

std::vector<int> drained(DeadlineList& list) {
  std::vector<int> order;
  while (Deadline* soonest = list.soonest()) {
    order.push_back(static_cast<int>(
        std::chrono::duration_cast<Milliseconds>(soonest->at - TimePoint{}).count()));
    list.remove(*soonest);
  }
  return order;
}

}  // namespace

TEST_CASE("deadlines come out soonest first, whatever order they went in", "[http]") {
  DeadlineList list;
  CHECK(list.soonest() == nullptr);
  std::array<Deadline, 5> deadlines;
  const std::array times = {30, 10, 50, 20, 40};
  for (std::size_t i = 0; i < times.size(); ++i) {
    list.add(deadlines[i], at(times[i]));
  }
  CHECK(drained(list) == std::vector{10, 20, 30, 40, 50});
}

TEST_CASE("any deadline can be taken out and added again", "[http]") {
  DeadlineList list;
  std::array<Deadline, 4> deadlines;
  for (std::size_t i = 0; i < deadlines.size(); ++i) {
    list.add(deadlines[i], at(static_cast<int>(i) * 10));
  }
  list.remove(deadlines[0]);
  list.remove(deadlines[3]);
  list.remove(deadlines[1]);
  list.add(deadlines[1], at(5));
  CHECK(list.soonest() == &deadlines[1]);
  CHECK(drained(list) == std::vector{5, 20});
  CHECK(list.soonest() == nullptr);
}

TEST_CASE("of equal deadlines the first comes first", "[http]") {
  DeadlineList list;
  std::array<Deadline, 3> deadlines;
  for (auto& deadline : deadlines) {
    list.add(deadline, at(7));
  }
  for (auto& deadline : deadlines) {
    CHECK(list.soonest() == &deadline);
    list.remove(deadline);
  }
}
