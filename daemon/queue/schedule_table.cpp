// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/schedule_table.h"

#include "core/error.h"
#include "core/text.h"
#include "daemon/queue/random_id.h"

#include <fmt/format.h>

namespace batchllm::daemon {
namespace {

constexpr std::string_view k_columns =
    "id, name, cron, timezone, body, overlap, missed, is_enabled, next_at, settled_at, last_at, "
    "last_job_id, last_error, created_at, updated_at";

Schedule schedule_of(const sql::Statement& row) {
  Schedule schedule;
  int column = 0;
  schedule.id = row.string(column++);
  schedule.name = row.string(column++);
  schedule.cron = row.string(column++);
  schedule.timezone = row.string(column++);
  schedule.body = row.string(column++);
  schedule.overlap = static_cast<OverlapPolicy>(row.integer(column++));
  schedule.missed = static_cast<MissedPolicy>(row.integer(column++));
  schedule.is_enabled = row.boolean(column++);
  schedule.next_ms = row.optional_integer(column++);
  schedule.settled_ms = row.integer(column++);
  schedule.last_ms = row.optional_integer(column++);
  schedule.last_job_id = row.string(column++);
  schedule.last_error = row.string(column++);
  schedule.created_ms = row.integer(column++);
  schedule.updated_ms = row.integer(column++);
  return schedule;
}

template <typename... Values>
std::vector<Schedule> read_schedules(sql::Database& database,
                                     std::string_view rest,
                                     const Values&... values) {
  auto query = database.prepare(fmt::format("SELECT {} FROM schedules {}", k_columns, rest));
  query.bind_all(values...);
  std::vector<Schedule> schedules;
  while (query.step()) {
    schedules.push_back(schedule_of(query));
  }
  return schedules;
}

std::optional<std::string_view> if_any(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

// The parameters 1 to 15, in the order of k_columns.
void write_schedule(sql::Database& database, std::string_view sql, const Schedule& schedule) {
  try {
    database.run(sql,
                 schedule.id,
                 schedule.name,
                 schedule.cron,
                 schedule.timezone,
                 schedule.body,
                 static_cast<std::int64_t>(schedule.overlap),
                 static_cast<std::int64_t>(schedule.missed),
                 std::int64_t{schedule.is_enabled},
                 schedule.next_ms,
                 schedule.settled_ms,
                 schedule.last_ms,
                 if_any(schedule.last_job_id),
                 if_any(schedule.last_error),
                 schedule.created_ms,
                 schedule.updated_ms);
  } catch (const sql::ConstraintError& error) {
    if (error.columns() != "schedules.name") {
      throw;
    }
    throw Error(ErrorCode::name_taken,
                fmt::format("another schedule is called {}", printable(schedule.name)));
  }
}

Error not_found(std::string_view id) {
  return Error(ErrorCode::schedule_not_found,
               fmt::format("there is no schedule {}", printable(id)),
               "batchllm schedule list shows all schedules");
}

}  // namespace

std::string make_schedule_id() {
  return random_id("sched_");
}

void insert_schedule(sql::Database& database, const Schedule& schedule) {
  static const std::string sql = fmt::format(
      "INSERT INTO schedules ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
      "?11, ?12, ?13, ?14, ?15)",
      k_columns);
  write_schedule(database, sql, schedule);
}

void update_schedule(sql::Database& database, const Schedule& schedule) {
  write_schedule(database,
                 "UPDATE schedules SET name = ?2, cron = ?3, timezone = ?4, body = ?5, overlap = "
                 "?6, missed = ?7, is_enabled = ?8, next_at = ?9, settled_at = ?10, last_at = ?11, "
                 "last_job_id = ?12, last_error = ?13, created_at = ?14, updated_at = ?15 WHERE id "
                 "= ?1",
                 schedule);
}

Schedule require_schedule(sql::Database& database, std::string_view id) {
  auto found = read_schedules(database, "WHERE id = ?", id);
  if (found.empty()) {
    throw not_found(id);
  }
  return std::move(found.front());
}

void delete_schedule(sql::Database& database, std::string_view id) {
  if (database.run("DELETE FROM schedules WHERE id = ?", id) == 0) {
    throw not_found(id);
  }
}

std::vector<Schedule> list_schedules(sql::Database& database,
                                     std::string_view after_name,
                                     std::int64_t limit) {
  return read_schedules(database, "WHERE name > ? ORDER BY name LIMIT ?", after_name, limit);
}

std::vector<Schedule> due_schedules(sql::Database& database, std::int64_t now_ms) {
  return read_schedules(
      database,
      "WHERE is_enabled = 1 AND (next_at <= ?1 OR settled_at > ?2) ORDER BY next_at",
      now_ms,
      now_ms + k_longest_step_back_ms);
}

std::optional<std::int64_t> next_schedule_ms(sql::Database& database) {
  return database.integer("SELECT min(next_at) FROM schedules WHERE is_enabled = 1");
}

bool is_unchanged(sql::Database& database, const Schedule& schedule) {
  return database
      .integer(
          "SELECT 1 FROM schedules WHERE id = ? AND is_enabled = ? AND updated_at = ? AND "
          "settled_at = ?",
          schedule.id,
          std::int64_t{schedule.is_enabled},
          schedule.updated_ms,
          schedule.settled_ms)
      .has_value();
}

std::vector<std::string> active_jobs_of(sql::Database& database, std::string_view schedule_id) {
  auto query = database.prepare(
      "SELECT id FROM jobs WHERE schedule_id = ? AND schedule_id IS NOT NULL AND state < 5 ORDER "
      "BY number DESC");
  query.bind_all(schedule_id);
  std::vector<std::string> ids;
  while (query.step()) {
    ids.push_back(query.string(0));
  }
  return ids;
}

}  // namespace batchllm::daemon
