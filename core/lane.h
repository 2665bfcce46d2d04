// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"
#include "core/outcome.h"
#include "core/rate_limiter.h"
#include "core/retry_policy.h"
#include "core/row_task.h"
#include "core/transport.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace batchllm {

struct LaneSettings {
  std::int64_t concurrency = 32;
  std::int64_t most_concurrency = 0;  // limit_concurrency goes up to here; at least `concurrency`
  std::uint32_t max_attempts = 6;
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> tokens_per_minute;
  std::uint64_t seed = 0;  // of the jitter
};

// One (provider, key, model): which row may be sent when. Keeps the rows that are ready and those
// that wait for another try, the requests in flight within the limits, and a watch on whether
// anything succeeds at all. Time comes in as a value. Not thread-safe: network thread.
class Lane {
 public:
  explicit Lane(const LaneSettings& settings);
  ~Lane() = default;
  Lane(Lane&&) noexcept = default;
  Lane& operator=(Lane&&) = delete;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void add(std::unique_ptr<RowTask> task) { ready_.push_back(std::move(task)); }

  // Before those that are ready: a row that has begun.
  void add_first(std::unique_ptr<RowTask> task) { ready_.push_front(std::move(task)); }

  std::size_t ready_count() const noexcept { return ready_.size(); }

  std::size_t waiting_count() const noexcept { return waiting_.size(); }

  std::int64_t in_flight() const noexcept { return in_flight_; }

  // Another limit for the rows in flight, from 1 to most_concurrency. Those in flight above a lower
  // one are let come to their end.
  void limit_concurrency(std::int64_t rows) noexcept;

  // The row that would be next of those that are ready, to be replaced by others.
  std::unique_ptr<RowTask> take_first();

  // Rows that could be sent at once if there were more.
  std::int64_t free_places() const noexcept;

  // The next row that may be sent now, counted as in flight from here on; null when none may.
  std::unique_ptr<RowTask> take(TimePoint now);

  // A row that `take` gave is not sent after all (the budget does not allow it yet).
  void put_back(std::unique_ptr<RowTask> task);

  // When `take` may give something again though nothing ends in between; nullopt: only then.
  std::optional<TimePoint> next_wake(TimePoint now) const;

  // What the response says about limits. Before succeeded / failed.
  void observe(const RowTask& task, const HttpResponse& response, TimePoint now);

  // The row has its answer, or failed for good: it is no longer in flight.
  void succeeded(TimePoint now);
  void failed_for_good(RowFailure failure, TimePoint now);

  // The row failed in a way that may pass. True: the lane took the row and will give it again.
  // False: its attempts are used up; it stays the caller's.
  bool retry(std::unique_ptr<RowTask>& task,
             RowFailure failure,
             std::optional<std::int64_t> retry_after_ms,
             TimePoint now);

  // A reason to stop: nothing succeeds any more. Names the last failure.
  std::optional<RowFailure> verdict(TimePoint now) const;

  // How long the provider asked everybody to wait, from now on; 0 when it did not.
  std::int64_t paused_ms(TimePoint now) const;

  // Gives up rows that were not sent.
  void clear();

  // After a verdict, for who goes on without this lane: the rows that were not sent. Others may
  // come and are tried like the first ones.
  std::vector<std::unique_ptr<RowTask>> start_anew();

 private:
  struct Waiting {
    TimePoint at;
    std::unique_ptr<RowTask> task;
  };

  void slow_down(TimePoint now, std::optional<std::int64_t> retry_after_ms);
  double chance();

  RetryPolicy policy_;
  RateLimiter requests_;
  RateLimiter tokens_;
  std::mt19937_64 random_;
  std::deque<std::unique_ptr<RowTask>> ready_;
  std::vector<Waiting> waiting_;  // a heap, the earliest first

  std::int64_t most_concurrency_;
  double concurrency_limit_;
  double concurrency_;  // what the provider stands now: falls when it refuses, grows back
  std::int64_t in_flight_ = 0;
  std::int64_t requests_sent_ = 0;
  std::int64_t tokens_sent_ = 0;
  TimePoint paused_until_{};
  TimePoint slowed_at_{};

  bool ever_succeeded_ = false;
  std::uint64_t failures_in_row_ = 0;        // attempts that failed for reasons of the provider
  std::uint64_t refusals_in_row_ = 0;        // attempts that were told to wait
  std::uint64_t final_failures_in_row_ = 0;  // rows that failed for good, none ok in between
  TimePoint first_failure_at_{};
  RowFailure last_failure_ = RowFailure::none;
};

}  // namespace batchllm
