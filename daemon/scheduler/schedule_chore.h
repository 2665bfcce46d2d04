// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/queue/job_store.h"
#include "daemon/queue/schedule_table.h"
#include "daemon/scheduler/background_work.h"
#include "daemon/scheduler/scheduler.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace batchllm::daemon {

// Queues a schedule's job, in a transaction; behind the job `after`, however that ends.
using QueueScheduled =
    std::function<QueuedJob(JobTable& jobs, const std::optional<std::string>& after)>;

// Reads what a schedule is to queue, its inputs as they are now. `slot_ms`: the time at which it
// fires, of which there is one job at most. Throws Error.
using PrepareScheduled =
    std::function<QueueScheduled(const Schedule& schedule, std::int64_t slot_ms)>;

// Fires schedules (core/schedule_policy.h). A slot is settled in the transaction that queues its
// job, so that none fires twice and none that was answered for is lost. A schedule whose job cannot
// be queued says why (last_error, log) and waits for its next slot; only when the disk or the
// daemon takes nothing now, the slot stays due.
class ScheduleChore final : public Chore {
 public:
  // `wake`: makes the scheduler ask again. Any thread.
  ScheduleChore(JobStore& store, PrepareScheduled prepare, std::function<void()> wake)
      : store_(store),
        prepare_(std::move(prepare)),
        work_("schedules", std::move(wake)) {}

  std::optional<std::int64_t> do_due(std::int64_t now_ms) override;

 private:
  void settle_all(const std::vector<Schedule>& due);
  void settle(const Schedule& schedule, std::int64_t now_ms);
  void fire(const Schedule& before, Schedule after, std::int64_t slot_ms, bool queues_behind);
  bool store_settled(const Schedule& before, const Schedule& after);

  JobStore& store_;
  const PrepareScheduled prepare_;
  std::optional<std::int64_t> retry_ms_;  // set by the work, read when it is done
  BackgroundWork work_;                   // last: it uses the rest
};

}  // namespace batchllm::daemon
