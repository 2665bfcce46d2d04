// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"

namespace batchllm {

// What waits until a time: a base of the thing that waits.
struct Deadline {
  TimePoint at{};
  Deadline* sooner = nullptr;  // its neighbours in the list
  Deadline* later = nullptr;
};

// Deadlines in order, the soonest first. Made for those that come nearly in order, as of requests
// that all have the same timeout: then adding one takes a step, and so does removing any.
// libcurl's own timers cost a search tree over all requests of a multi handle, touched at every
// step of each of them.
class DeadlineList {
 public:
  Deadline* soonest() const noexcept { return soonest_; }

  // `deadline` must be in no list, and stay where it is while it is in this one.
  void add(Deadline& deadline, TimePoint at) noexcept {
    deadline.at = at;
    deadline.sooner = latest_;
    deadline.later = nullptr;
    while (deadline.sooner != nullptr && deadline.sooner->at > at) {
      deadline.later = deadline.sooner;
      deadline.sooner = deadline.sooner->sooner;
    }
    (deadline.sooner != nullptr ? deadline.sooner->later : soonest_) = &deadline;
    (deadline.later != nullptr ? deadline.later->sooner : latest_) = &deadline;
  }

  void remove(Deadline& deadline) noexcept {
    (deadline.sooner != nullptr ? deadline.sooner->later : soonest_) = deadline.later;
    (deadline.later != nullptr ? deadline.later->sooner : latest_) = deadline.sooner;
  }

 private:
  Deadline* soonest_ = nullptr;
  Deadline* latest_ = nullptr;
};

}  // namespace batchllm
