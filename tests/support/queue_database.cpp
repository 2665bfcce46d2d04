// SPDX-License-Identifier: Apache-2.0
#include "tests/support/queue_database.h"

#include "adapters/sql/sqlite_migrations.h"
#include "core/error.h"
#include "core/job_record.h"
#include "daemon/queue/event_reader.h"
#include "daemon/queue/queue_schema.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::string_view k_user = "user:1000";

sql::Database open_queue(const ScratchFolder& folder) {
  sql::MigrationOptions options;
  options.backups = folder.path("backups");
  options.open.durability = sql::Durability::normal;
  return sql::open_migrated(folder.path("queue.db"), queue_migrations(), options);
}

std::string record_json() {
  static const std::string json = [] {
    JobRecord record;
    record.settings.model.model = "openai/gpt-4o-mini";
    record.settings.limits.concurrency = 4;
    record.messages = {{"user", "{text}", "--prompt"}};
    return job_record_json(record);
  }();
  return json;
}

int exit_code_of(std::string_view code) {
  return error_kind(find_error_code(code).value()).exit_code;
}

}  // namespace

Submission a_submission(std::string project) {
  Submission submission;
  submission.job.project = std::move(project);
  submission.job.tags = "{}";
  submission.job.model = "openai/gpt-4o-mini";
  submission.job.lane = "lane";
  submission.job.record = record_json();
  return submission;
}

RunEnding finished_run(std::int64_t ok) {
  RunEnding ending;
  ending.counts = {ok, ok, 0, 0, 10 * ok, 100 * ok, 20 * ok};
  return ending;
}

RunEnding partial_run() {
  RunEnding ending;
  ending.counts = {3, 1, 1, 1, 20, 200, 40};
  ending.is_partial = true;
  ending.exit_code = 4;
  return ending;
}

RunEnding stopped_run(RunEnding::Why why) {
  RunEnding ending;
  ending.why = why;
  ending.exit_code = 130;
  ending.counts = {3, 1, 0, 0, 10, 100, 20};
  return ending;
}

RunEnding faulty_run(std::string code) {
  RunEnding ending;
  ending.exit_code = exit_code_of(code);
  ending.fault = JobFault{std::move(code), "what happened", "what helps"};
  ending.counts = {3, 2, 0, 0, 15, 150, 30};
  return ending;
}

QueueDatabase::QueueDatabase() : database_(open_queue(folder_)) {}

std::vector<std::string> QueueDatabase::event_types(const std::string& id) {
  std::vector<std::string> types;
  auto query = database_.prepare("SELECT type FROM job_events WHERE job_id = ? ORDER BY seq");
  query.bind_all(id);
  while (query.step()) {
    types.push_back(query.string(0));
  }
  return types;
}

JobEventData QueueDatabase::last_event(const std::string& id) {
  auto query = database_.prepare(
      "SELECT type, version, data FROM job_events WHERE job_id = ? ORDER BY seq DESC LIMIT 1");
  query.bind_all(id);
  REQUIRE(query.step());
  return parse_job_event(query.text(0), static_cast<int>(query.integer(1)), query.text(2));
}

QueuedJob QueueDatabase::submit(Submission submission) {
  return write([&](JobTable& jobs) { return submit_job(jobs, std::move(submission), k_user); });
}

QueuedJob QueueDatabase::submit_after(const std::string& id, DependencyCondition condition) {
  Submission submission = a_submission();
  submission.after.push_back({id, condition});
  return submit(std::move(submission));
}

std::optional<QueuedJob> QueueDatabase::claim(std::string_view worker, JobKind kind) {
  return write(
      [&](JobTable& jobs) { return claim_job(jobs, kind, worker, now_ms + k_test_lease_ms); });
}

std::optional<QueuedJob> QueueDatabase::end(const QueuedJob& claimed, const RunEnding& ending) {
  return write([&](JobTable& jobs) {
    return end_run(jobs, claimed.id, claimed.view.epoch, ending, backoff);
  });
}

std::optional<QueuedJob> QueueDatabase::rescue(const QueuedJob& claimed, std::string_view reason) {
  return write([&](JobTable& jobs) {
    return rescue_job(jobs, claimed.id, claimed.view.epoch, reason, backoff);
  });
}

QueuedJob QueueDatabase::cancel(const std::string& id) {
  return write([&](JobTable& jobs) { return cancel_job(jobs, id, k_user); });
}

QueuedJob QueueDatabase::pause(const std::string& id) {
  return write([&](JobTable& jobs) { return pause_job(jobs, id, k_user); });
}

QueuedJob QueueDatabase::resume(const std::string& id, std::optional<std::int64_t> max_cost) {
  return write([&](JobTable& jobs) { return resume_job(jobs, id, max_cost, k_user); });
}

QueuedJob QueueDatabase::answer(const std::string& id, std::string_view answer) {
  return write([&](JobTable& jobs) { return answer_job(jobs, id, answer, k_user); });
}

int QueueDatabase::release_due(int limit) {
  return write([&](JobTable& jobs) { return release_due_jobs(jobs, limit); });
}

void QueueDatabase::add_project(std::string_view name, std::optional<std::int64_t> max_running) {
  database_.run("INSERT INTO projects VALUES (?, ?, 0)", name, max_running);
}

void QueueDatabase::in_transaction(const std::function<void(JobTable&)>& work) {
  std::vector<sql::Transaction::Action> after_commit;
  {
    sql::TransactionScope scope(database_, sql::TransactionScope::Kind::write);
    sql::Transaction transaction(database_, after_commit);
    JobTable jobs(transaction, hub_, now_ms);
    work(jobs);
    scope.commit();
  }
  for (const auto& action : after_commit) {
    action();
  }
  check_touched();
}

void QueueDatabase::check_touched() {
  std::map<std::string, std::int64_t> stored;
  {
    auto query = database_.prepare("SELECT id, last_seq FROM jobs");
    while (query.step()) {
      stored.emplace(query.string(0), query.integer(1));
    }
  }
  for (const auto& [id, last_seq] : stored) {
    const auto known = checked_.find(id);
    if (known == checked_.end() || known->second != last_seq) {
      check_job(id);
    }
  }
  checked_ = std::move(stored);
}

void QueueDatabase::check_job(const std::string& id) {
  const QueuedJob job = require_job(database_, id);
  const auto expect = [&job](bool holds, std::string_view claim) {
    if (!holds) {
      FAIL(fmt::format("{} ({}): {}", job.id, job_state_name(job.view.state), claim));
    }
  };
  const auto number = [this](std::string_view sql, const auto&... values) {
    return database_.integer(sql, values...).value_or(0);
  };
  expect(replay_job(database_, id) == job.view, "its events do not tell what is stored");
  expect(number("SELECT count(*) FROM job_events WHERE job_id = ?", id) == job.view.last_seq &&
             number("SELECT max(seq) FROM job_events WHERE job_id = ?", id) == job.view.last_seq,
         "its events have gaps");
  const bool runs = job.view.state == JobState::running;
  expect(job.owner.empty() != runs && job.lease_until_ms.has_value() == runs,
         "a lease is what a running job has");
  expect(number("SELECT count(*) FROM attempts WHERE job_id = ?", id) == job.view.epoch,
         "each fencing number is an attempt");
  expect(number("SELECT count(*) FROM attempts WHERE job_id = ? AND ended_at IS NULL", id) ==
             std::int64_t{runs},
         "the attempt of a running job is open, and no other");
  expect(number("SELECT sum(rows) FROM usage WHERE job_id = ?", id) == job.view.counts.done() &&
             number("SELECT sum(cost_micro_usd) FROM usage WHERE job_id = ?", id) ==
                 job.view.counts.cost_micro_usd,
         "its usage does not add up");
  const std::int64_t unmet =
      number("SELECT count(*) FROM job_dependencies WHERE job_id = ? AND is_met = 0", id);
  expect(job.view.state != JobState::queued || job.is_held || unmet == 0,
         "it could run before what it waits for");
  expect(!has_ended(job.view.state) ||
             number("SELECT count(*) FROM job_dependencies WHERE after_id = ? AND is_met = 0",
                    id) == 0,
         "others still wait for it");
}

void QueueDatabase::check_file() {
  CHECK(database_.string("PRAGMA integrity_check") == "ok");
  CHECK_FALSE(database_.prepare("PRAGMA foreign_key_check").step());
}

}  // namespace batchllm::daemon
