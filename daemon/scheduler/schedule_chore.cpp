// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/schedule_chore.h"

#include "core/error.h"
#include "core/text.h"
#include "core/time_text.h"
#include "daemon/scheduler/fire_times.h"
#include "daemon/service/daemon_log.h"

namespace batchllm::daemon {
namespace {

constexpr std::int64_t k_retry_after_ms = 30'000;

// Neither the schedule nor its slot is to blame.
bool passes_with_time(const Error& error) noexcept {
  switch (error.code()) {
    case ErrorCode::storage:
    case ErrorCode::storage_full:
    case ErrorCode::daemon_draining:
    case ErrorCode::daemon_unreachable:
      return true;
    default:
      return false;
  }
}

// The slot had its job before the clock went back.
bool has_fired_already(const sql::ConstraintError& error) {
  return error.kind() == sql::ConstraintError::Kind::unique &&
         error.columns().find("fire_at") != std::string::npos;
}

void log_no_job(const Schedule& schedule, std::int64_t slot_ms) {
  log_warning("schedule {} ({}) queues no job at {}: {}",
              printable(schedule.name),
              schedule.id,
              rfc3339_text(slot_ms),
              schedule.last_error);
}

}  // namespace

std::optional<std::int64_t> ScheduleChore::do_due(std::int64_t now_ms) {
  if (work_.is_busy()) {
    return std::nullopt;
  }
  // A clock that was set back does not make it wait for longer.
  if (retry_ms_ && now_ms < *retry_ms_ && *retry_ms_ - now_ms <= k_retry_after_ms) {
    return retry_ms_;
  }
  retry_ms_.reset();
  auto due =
      store_.read([now_ms](sql::Database& database) { return due_schedules(database, now_ms); });
  if (due.empty()) {
    return store_.read([](sql::Database& database) { return next_schedule_ms(database); });
  }
  try {
    work_.start([this, due = std::move(due)] { settle_all(due); });
  } catch (const std::system_error& error) {
    log_error("schedules wait: {}", error.what());
    return now_ms + k_retry_after_ms;
  }
  return std::nullopt;
}

void ScheduleChore::settle_all(const std::vector<Schedule>& due) {
  for (const Schedule& schedule : due) {
    const std::int64_t now_ms = store_.clock().wall_ms();
    try {
      settle(schedule, now_ms);
    } catch (const Error& error) {
      log_error(
          "schedule {} ({}) waits: {}", printable(schedule.name), schedule.id, error.message());
      retry_ms_ = now_ms + k_retry_after_ms;
    }
  }
}

void ScheduleChore::settle(const Schedule& schedule, std::int64_t now_ms) {
  Schedule after = schedule;
  std::optional<FireTimes> times;
  try {
    times.emplace(schedule.cron, schedule.timezone);
  } catch (const Error& error) {  // a zone that the system does not have any more
    after.next_ms.reset();
    after.last_error = error.message();
    log_no_job(after, now_ms);
    store_settled(schedule, after);
    return;
  }
  const auto active =
      store_.read([&](sql::Database& database) { return active_jobs_of(database, schedule.id); });
  ScheduleMoment moment;
  moment.now_ms = now_ms;
  moment.settled_ms = schedule.settled_ms;
  moment.missed = schedule.missed;
  moment.overlap = schedule.overlap;
  moment.is_job_active = !active.empty();
  moment.is_job_waiting = active.size() > 1;
  const ScheduleDecision decision = decide_schedule(
      moment, [&times](std::int64_t time_ms) { return times->next_after(time_ms); });
  after.settled_ms = decision.settled_ms;
  after.next_ms = decision.wake_ms;
  if (decision.action == ScheduleAction::fire) {
    fire(schedule, std::move(after), decision.slot_ms, decision.queues_behind);
    return;
  }
  if (decision.action == ScheduleAction::skip) {
    after.last_error = skip_reason_text(decision.reason);
    log_no_job(after, decision.slot_ms);
  }
  store_settled(schedule, after);
}

void ScheduleChore::fire(const Schedule& before,
                         Schedule after,
                         std::int64_t slot_ms,
                         bool queues_behind) {
  std::string reason;
  try {
    const QueueScheduled queue = prepare_(before, slot_ms);
    const bool is_queued = store_.write([&](JobTable& jobs) {
      if (!is_unchanged(jobs.database(), before)) {
        return false;  // looked at again as it is now
      }
      const auto active = active_jobs_of(jobs.database(), before.id);
      const bool waits = queues_behind && !active.empty();
      after.last_job_id = queue(jobs, waits ? std::optional(active.front()) : std::nullopt).id;
      after.last_ms = slot_ms;
      after.last_error.clear();
      update_schedule(jobs.database(), after);
      return true;
    });
    if (is_queued) {
      log_info("schedule {} ({}) queues {}", printable(before.name), before.id, after.last_job_id);
    }
    return;
  } catch (const sql::ConstraintError& error) {
    if (!has_fired_already(error)) {
      throw;
    }
    reason = before.last_error;
    after.last_job_id = before.last_job_id;
  } catch (const Error& error) {
    if (passes_with_time(error)) {
      throw;
    }
    reason = error.message();
  }
  after.last_ms = before.last_ms;
  after.last_job_id = before.last_job_id;
  after.last_error = reason;
  if (!reason.empty()) {
    log_no_job(after, slot_ms);
  }
  store_settled(before, after);
}

bool ScheduleChore::store_settled(const Schedule& before, const Schedule& after) {
  return store_.write([&](JobTable& jobs) {
    const bool is_ours = is_unchanged(jobs.database(), before);
    if (is_ours) {
      update_schedule(jobs.database(), after);
    }
    return is_ours;
  });
}

}  // namespace batchllm::daemon
