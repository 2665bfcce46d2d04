// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/schedule_chore.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/unit/daemon/scheduler/test_queue.h"

#include <set>

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

constexpr std::int64_t k_minute_ms = 60'000;
constexpr std::int64_t k_hour_ms = 60 * k_minute_ms;
constexpr std::int64_t k_day_ms = 24 * k_hour_ms;
constexpr std::int64_t k_midnight_ms = 20'000 * k_day_ms;

class Schedules {
 public:
  Schedules()
      : chore_(
            queue_.store(),
            [this](const Schedule& s, std::int64_t slot) { return prepare(s, slot); },
            bell_.ring()) {
    queue_.clock().set(k_midnight_ms);
  }

  // A schedule for every full hour, made at midnight.
  Schedule add(const std::string& name, OverlapPolicy overlap = OverlapPolicy::allow) {
    Schedule schedule;
    schedule.id = make_schedule_id();
    schedule.name = name;
    schedule.cron = "0 * * * *";
    schedule.timezone = "UTC";
    schedule.body = "{}";
    schedule.overlap = overlap;
    schedule.settled_ms = k_midnight_ms;
    schedule.next_ms = k_midnight_ms + k_hour_ms;
    queue_.store().write([&](JobTable& jobs) { insert_schedule(jobs.database(), schedule); });
    return schedule;
  }

  void change(const Schedule& schedule) {
    queue_.store().write([&](JobTable& jobs) { update_schedule(jobs.database(), schedule); });
  }

  // Looks at the clock until nothing is due; returns when it wants to look again.
  std::optional<std::int64_t> look(std::int64_t now_ms) {
    queue_.clock().set(now_ms);
    while (true) {
      const bool is_due = is_any_due(now_ms);
      const auto next = chore_.do_due(now_ms);
      if (next || !is_due) {
        return next;
      }
      bell_.wait();
    }
  }

  Schedule now(const Schedule& schedule) {
    return queue_.store().read(
        [&](sql::Database& database) { return require_schedule(database, schedule.id); });
  }

  std::int64_t jobs() { return queue_.number("SELECT count(*) FROM jobs"); }

  TestQueue& queue() { return queue_; }

  std::set<std::string> failing;  // names of schedules whose job cannot be queued
  bool is_full = false;

 private:
  bool is_any_due(std::int64_t now_ms) {
    return !queue_.store()
                .read([now_ms](sql::Database& database) { return due_schedules(database, now_ms); })
                .empty();
  }

  QueueScheduled prepare(const Schedule& schedule, std::int64_t slot_ms) {
    if (is_full) {
      throw Error(ErrorCode::storage_full, "no room");
    }
    if (failing.contains(schedule.name)) {
      throw Error(ErrorCode::input_missing, "the input is gone");
    }
    return [schedule, slot_ms](JobTable& jobs, const std::optional<std::string>& after) {
      Submission submission = TestQueue::submission();
      submission.job.schedule_id = schedule.id;
      submission.job.fire_at_ms = slot_ms;
      if (after) {
        submission.after.push_back({*after, DependencyCondition::any, false});
      }
      return submit_job(jobs, submission, "schedule");
    };
  }

  TestQueue queue_;
  Bell bell_;
  ScheduleChore chore_;
};

}  // namespace

TEST_CASE("a schedule queues one job for its slot and waits for the next", "[schedules]") {
  Schedules schedules;
  const Schedule schedule = schedules.add("hourly");
  CHECK(schedules.look(k_midnight_ms) == k_midnight_ms + k_hour_ms);
  CHECK(schedules.jobs() == 0);
  CHECK(schedules.look(k_midnight_ms + k_hour_ms) == k_midnight_ms + 2 * k_hour_ms);
  CHECK(schedules.look(k_midnight_ms + k_hour_ms) == k_midnight_ms + 2 * k_hour_ms);
  CHECK(schedules.jobs() == 1);
  const Schedule after = schedules.now(schedule);
  CHECK(after.last_ms == k_midnight_ms + k_hour_ms);
  CHECK(after.settled_ms == k_midnight_ms + k_hour_ms);
  CHECK(schedules.queue().job(after.last_job_id).schedule_id == schedule.id);
}

TEST_CASE("without schedules there is nothing to wake up for", "[schedules]") {
  Schedules schedules;
  CHECK(schedules.look(k_midnight_ms) == std::nullopt);
  Schedule paused = schedules.add("paused");
  paused.is_enabled = false;
  paused.next_ms.reset();
  schedules.change(paused);
  CHECK(schedules.look(k_midnight_ms + k_day_ms) == std::nullopt);
  CHECK(schedules.jobs() == 0);
}

TEST_CASE("of the slots that passed meanwhile the latest is made up for, or none", "[schedules]") {
  Schedules schedules;
  schedules.add("latest");
  Schedule none = schedules.add("none");
  none.missed = MissedPolicy::none;
  schedules.change(none);
  CHECK(schedules.look(k_midnight_ms + 10 * k_hour_ms + 30 * k_minute_ms) ==
        k_midnight_ms + 11 * k_hour_ms);
  CHECK(schedules.jobs() == 1);
  CHECK(schedules.queue().number("SELECT fire_at FROM jobs") == k_midnight_ms + 10 * k_hour_ms);
  CHECK_THAT(schedules.now(none).last_error, ContainsSubstring("missed"));
}

TEST_CASE("while a job has not ended its schedule skips, or queues one behind it", "[schedules]") {
  Schedules schedules;
  const Schedule skips = schedules.add("skip", OverlapPolicy::skip);
  const Schedule queues = schedules.add("queue_one", OverlapPolicy::queue_one);
  for (int hour = 1; hour <= 3; ++hour) {
    schedules.look(k_midnight_ms + hour * k_hour_ms);
  }
  CHECK(schedules.jobs() == 3);
  CHECK_THAT(schedules.now(skips).last_error, ContainsSubstring("not ended"));
  const QueuedJob second = schedules.queue().job(schedules.now(queues).last_job_id);
  CHECK(second.is_held);
  CHECK_THAT(second.view.reason, ContainsSubstring("waiting_on:job_"));
  schedules.queue().cancel(second.view.reason.substr(11));
  CHECK_FALSE(schedules.queue().job(second.id).is_held);
}

TEST_CASE("a schedule whose job cannot be queued says why and does not stop the others",
          "[schedules]") {
  Schedules schedules;
  const Schedule broken = schedules.add("broken");
  const Schedule good = schedules.add("good");
  schedules.failing = {"broken"};
  CHECK(schedules.look(k_midnight_ms + k_hour_ms) == k_midnight_ms + 2 * k_hour_ms);
  CHECK(schedules.now(broken).last_error == "the input is gone");
  CHECK(schedules.now(broken).last_job_id.empty());
  CHECK_FALSE(schedules.now(good).last_job_id.empty());
  schedules.failing.clear();
  schedules.look(k_midnight_ms + 2 * k_hour_ms);
  CHECK(schedules.now(broken).last_error.empty());
  CHECK_FALSE(schedules.now(broken).last_job_id.empty());
}

TEST_CASE("a slot for which the disk had no room stays due", "[schedules]") {
  Schedules schedules;
  schedules.add("hourly");
  schedules.is_full = true;
  const std::int64_t slot_ms = k_midnight_ms + k_hour_ms;
  CHECK(schedules.look(slot_ms) == slot_ms + 30'000);
  CHECK(schedules.jobs() == 0);
  schedules.is_full = false;
  CHECK(schedules.look(slot_ms + 30'000) == k_midnight_ms + 2 * k_hour_ms);
  CHECK(schedules.queue().number("SELECT fire_at FROM jobs") == slot_ms);
}

TEST_CASE("a clock that goes back makes no slot fire again", "[schedules]") {
  Schedules schedules;
  const Schedule schedule = schedules.add("hourly");
  schedules.look(k_midnight_ms + 5 * k_day_ms);
  CHECK(schedules.jobs() == 1);
  schedules.look(k_midnight_ms + 5 * k_day_ms - k_hour_ms);
  CHECK(schedules.jobs() == 1);

  // By days: it counts from there, and when it comes to the slot again, the slot has its job.
  CHECK(schedules.look(k_midnight_ms + k_minute_ms) == k_midnight_ms + k_hour_ms);
  schedules.look(k_midnight_ms + 5 * k_day_ms);
  CHECK(schedules.jobs() == 1);
  CHECK(schedules.now(schedule).settled_ms == k_midnight_ms + 5 * k_day_ms);
}
