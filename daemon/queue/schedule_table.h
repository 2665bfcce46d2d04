// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"
#include "core/schedule_policy.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

// A job that is queued again and again. Times are wall-clock milliseconds since 1970.
struct Schedule {
  std::string id;  // "sched_…"
  std::string name;
  std::string cron;
  std::string timezone;
  std::string body;  // JSON: `JobCreate` of the contract
  OverlapPolicy overlap = OverlapPolicy::skip;
  MissedPolicy missed = MissedPolicy::latest;
  bool is_enabled = true;
  std::optional<std::int64_t> next_ms;  // nullopt: paused, or there is no further time
  std::int64_t settled_ms = 0;          // ScheduleMoment::settled_ms
  std::optional<std::int64_t> last_ms;  // the slot of the latest job
  std::string last_job_id;
  std::string last_error;  // why the latest slot brought no job; empty: it did
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
};

std::string make_schedule_id();

// Throw Error(name_taken) when another schedule has the name.
void insert_schedule(sql::Database& database, const Schedule& schedule);
void update_schedule(sql::Database& database, const Schedule& schedule);

// Throws Error(schedule_not_found).
Schedule require_schedule(sql::Database& database, std::string_view id);
void delete_schedule(sql::Database& database, std::string_view id);

// By name, behind `after_name`.
std::vector<Schedule> list_schedules(sql::Database& database,
                                     std::string_view after_name,
                                     std::int64_t limit);

// Enabled schedules that have something to settle: a slot has come, or the clock went back so far
// that they begin anew.
std::vector<Schedule> due_schedules(sql::Database& database, std::int64_t now_ms);

// When the next enabled schedule is due.
std::optional<std::int64_t> next_schedule_ms(sql::Database& database);

// True when nobody has changed, paused or deleted the schedule since it was read.
bool is_unchanged(sql::Database& database, const Schedule& schedule);

// Jobs of the schedule that have not ended; the newest first.
std::vector<std::string> active_jobs_of(sql::Database& database, std::string_view schedule_id);

}  // namespace batchllm::daemon
