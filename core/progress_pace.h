// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_event.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace batchllm {

constexpr std::chrono::seconds k_progress_at_most_every{1};
constexpr std::chrono::seconds k_progress_at_least_every{10};
constexpr std::int64_t k_progress_steps = 100;

// True when the progress of a job that goes on becomes an event: once a second at most, when the
// job has come on by a hundredth since the last one, or after ten seconds. `done` and `since` are
// the rows of the last one and the time that has passed.
constexpr bool is_progress_worth_keeping(const JobCounts& counts,
                                         std::int64_t done,
                                         std::chrono::nanoseconds since) noexcept {
  const std::int64_t step =
      std::max<std::int64_t>(counts.rows_total.value_or(0) / k_progress_steps, 1);
  return since >= k_progress_at_most_every &&
         (counts.done() - done >= step || since >= k_progress_at_least_every);
}

}  // namespace batchllm
