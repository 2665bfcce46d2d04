// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/concurrency_limit.h"
#include "core/job_progress.h"

#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <utility>

namespace batchllm {

// The way from outside into a running job; one for every run, outliving it. Thread-safe. What is
// said before the run begins holds from its start.
class JobControl {
 public:
  // Ends the run: nothing more is sent, answers in flight are waited for. The first reason counts,
  // also among those that the run finds itself. Error(interrupted | terminated) and limits (exit
  // code 5) leave the job interrupted, others failed; either can be resumed.
  void stop(Error reason) {
    stop_.stop(std::move(reason));
    asked_.request_stop();
  }

  // The same, without waiting for answers in flight: what they cost is lost.
  void abandon(Error reason) {
    stop_.abandon_answers();
    stop(std::move(reason));
  }

  // Rows in flight at most from now on: at least 1, at most JobStart::most_concurrency. Rows above
  // a lower limit come to their end.
  void set_concurrency(std::int64_t rows_in_flight) {
    concurrency_.set(std::max<std::int64_t>(rows_in_flight, 1));
  }

  // For run_job.
  StopReason& stop_reason() noexcept { return stop_; }

  ConcurrencyLimit& concurrency() noexcept { return concurrency_; }

  // Somebody outside asked for the end; a limit that was reached does not count.
  std::stop_token asked_to_stop() const noexcept { return asked_.get_token(); }

 private:
  StopReason stop_;
  std::stop_source asked_;
  ConcurrencyLimit concurrency_;
};

}  // namespace batchllm
