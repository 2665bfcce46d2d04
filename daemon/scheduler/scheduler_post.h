// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/queue/queued_job.h"
#include "daemon/scheduler/lane_shares.h"
#include "daemon/scheduler/scheduler.h"
#include "daemon/scheduler/worker_process.h"
#include "daemon/worker/worker_message.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm::daemon {

// For the scheduler's own sources.

// A worker and what it does.
struct Scheduler::Post {
  explicit Post(WorkerProcess started) : process(std::move(started)) {}

  struct Assignment {
    std::string id;
    std::int64_t epoch = 0;
    JobKind kind = JobKind::job;
    std::string lane;
    LaneUser part;
    Time lease_until;
    Time kept_at;
    std::int64_t kept_done = -1;
    JobCounts counts;
    bool is_stopping = false;
    std::vector<TextReport> texts;  // not on record yet: they go with what comes next
    Time texts_due;                 // or by themselves then
  };

  WorkerProcess process;
  std::optional<Assignment> job;
  Time idle_since = std::chrono::steady_clock::now();
  bool is_leaving = false;
  bool is_gone = false;
};

}  // namespace batchllm::daemon
