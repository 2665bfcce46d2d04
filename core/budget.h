// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace batchllm {

// Keeps a run below its cost limit by holding the worst case of every request back before it is
// sent. Amounts in micro-USD. Not thread-safe: network thread.
class Budget {
 public:
  // By earlier runs of the job: what they `spent`, and what their requests without an answer may
  // have cost.
  Budget(std::optional<std::int64_t> limit, std::int64_t spent, std::int64_t unanswered = 0)
      : limit_(limit),
        spent_(spent),
        unanswered_(unanswered) {}

  // False: the request must not be sent now; when nothing is held it can never be.
  bool reserve(std::int64_t worst_case) noexcept {
    if (limit_ && spent_ + unanswered_ + held_ + worst_case > *limit_) {
      return false;
    }
    held_ += worst_case;
    return true;
  }

  // The request left and nothing came back that tells what it cost: it stays held back.
  void settle_unanswered(std::int64_t worst_case) noexcept {
    held_ -= worst_case;
    unanswered_ += worst_case;
  }

  // The request ended and cost `cost`.
  void settle(std::int64_t worst_case, std::int64_t cost) noexcept {
    held_ -= worst_case;
    spent_ += cost;
  }

  bool holds_nothing() const noexcept { return held_ == 0; }

  std::int64_t spent() const noexcept { return spent_; }

  // What requests without an answer may have cost.
  std::int64_t unanswered() const noexcept { return unanswered_; }

 private:
  std::optional<std::int64_t> limit_;
  std::int64_t spent_;
  std::int64_t unanswered_;
  std::int64_t held_ = 0;
};

}  // namespace batchllm
