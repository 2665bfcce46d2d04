// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace batchllm::daemon {

// A running job's part in its lane.
struct LaneUser {
  std::string project;
  std::int64_t wanted = 0;  // rows in flight that the job asks for
  std::int64_t share = 0;   // what it may have
};

// Deals out the rows in flight that a lane allows: evenly between projects, within a project evenly
// between jobs; what one does not want goes to the others. Everybody gets at least one, and all
// together get no more than `capacity`, unless there are more of them.
void share_lane(std::int64_t capacity, std::vector<LaneUser*>& users);

}  // namespace batchllm::daemon
