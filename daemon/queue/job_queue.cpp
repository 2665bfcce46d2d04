// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_queue.h"

#include "core/error.h"
#include "core/job_record.h"
#include "core/text.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/idempotency.h"

#include <fmt/format.h>

#include <cmath>
#include <deque>
#include <utility>

namespace batchllm::daemon {
namespace {

using namespace job_event;

constexpr int k_cancelled_exit_code = 130;
constexpr double k_micro = 1e6;
constexpr std::string_view k_disk_full = "disk_full";  // resume_after_full_disk

bool ended_as_needed(JobState state, DependencyCondition condition) noexcept {
  switch (condition) {
    case DependencyCondition::any:
      return true;
    case DependencyCondition::not_ok:
      return state != JobState::succeeded;
    default:
      return state == JobState::succeeded;
  }
}

// Why a job that could run does not: what it waits for, else its turn.
struct Hold {
  bool is_held = false;
  std::string reason = "queue";
};

Hold hold_of(JobTable& jobs, const std::string& id, std::optional<std::int64_t> not_before_ms) {
  auto query = jobs.database().prepare(
      "SELECT after_id FROM job_dependencies WHERE job_id = ? AND is_met = 0 ORDER BY after_id "
      "LIMIT 1");
  query.bind_all(id);
  if (query.step()) {
    return {true, fmt::format("waiting_on:{}", query.text(0))};
  }
  if (not_before_ms && *not_before_ms > jobs.now_ms()) {
    return {true, "not_before"};
  }
  return {};
}

Queued queued_event(const QueuedJob& job, std::string reason) {
  Queued data;
  data.reason = std::move(reason);
  data.not_before_ms = job.view.not_before_ms;
  data.priority = job.view.priority;
  data.attempt = job.view.attempt;
  data.crash_count = job.view.crash_count;
  return data;
}

// Back into the queue, with a clean record of crashes: a person decided to go on.
void queue_again(JobTable& jobs, QueuedJob& job, std::string_view actor) {
  const Hold hold = hold_of(jobs, job.id, job.view.not_before_ms);
  job.is_held = hold.is_held;
  Queued data = queued_event(job, hold.reason);
  data.crash_count = 0;
  jobs.record(job, data, JobActor::user, actor);
}

void ask_for_approval(JobTable& jobs, QueuedJob& job) {
  WaitingInput asks;
  asks.question = {"approval",
                   fmt::format("Begin {}?", job.name.empty() ? job.id : printable(job.name))};
  asks.attempt = job.view.attempt;
  asks.crash_count = job.view.crash_count;
  asks.counts = job.view.counts;
  jobs.record(job, asks, JobActor::scheduler, "scheduler");
}

Error conflict(const QueuedJob& job, std::string_view what, std::string hint) {
  return Error(ErrorCode::job_conflict,
               fmt::format("{} {}: it is {}", job.id, what, job_state_name(job.view.state)),
               std::move(hint));
}

void end_cancelled(JobTable& jobs, QueuedJob& job, JobActor who, std::string_view actor) {
  Ended data;
  data.state = JobState::cancelled;
  data.exit_code = k_cancelled_exit_code;
  data.counts = job.view.counts;
  jobs.record(job, data, who, actor);
  settle_dependents(jobs, job);
}

struct Dependent {
  std::string job_id;
  DependencyCondition condition;
};

std::vector<Dependent> waiting_for(JobTable& jobs, const std::string& id) {
  std::vector<Dependent> waiting;
  auto query = jobs.database().prepare(
      "SELECT job_id, condition FROM job_dependencies WHERE after_id = ? AND is_met = 0");
  query.bind_all(id);
  while (query.step()) {
    waiting.push_back(
        {std::string(query.text(0)), static_cast<DependencyCondition>(query.integer(1))});
  }
  return waiting;
}

void cancel_for_dependency(JobTable& jobs, QueuedJob& job, const QueuedJob& first) {
  Ended data;
  data.state = JobState::cancelled;
  data.exit_code = k_cancelled_exit_code;
  data.fault = JobFault{
      "dependency_failed",
      fmt::format(
          "{}, which it waited for, ended as {}", first.id, job_state_name(first.view.state)),
      ""};
  data.counts = job.view.counts;
  const bool waits = job.view.state == JobState::queued;
  jobs.record(job, data, waits ? JobActor::scheduler : JobActor::user, "scheduler");
}

void set_max_cost(QueuedJob& job, std::int64_t micro_usd) {
  JobRecord record = parse_job_record(job.record, job.id);
  record.settings.limits.max_cost_micro_usd = micro_usd;
  job.record = job_record_json(record);
  job.max_cost_micro_usd = micro_usd;
}

void add_dependencies(JobTable& jobs, const QueuedJob& job, std::vector<JobDependency>& after) {
  auto insertion =
      jobs.database().prepare("INSERT OR IGNORE INTO job_dependencies VALUES (?, ?, ?, ?)");
  for (JobDependency& dependency : after) {
    insertion.bind_all(job.id,
                       dependency.after_id,
                       static_cast<std::int64_t>(dependency.condition),
                       std::int64_t{dependency.is_met});
    insertion.run();
  }
}

void add_file(sql::Database& database, const std::string& job_id, const std::string& file_id) {
  try {
    database.run("INSERT OR IGNORE INTO job_files VALUES (?, ?)", job_id, file_id);
  } catch (const sql::ConstraintError&) {
    require_file(database, file_id);  // it may have been deleted since it was looked up
    throw;
  }
}

void check_dependencies(JobTable& jobs, std::vector<JobDependency>& after) {
  for (JobDependency& dependency : after) {
    const QueuedJob first = require_job(jobs.database(), dependency.after_id);
    dependency.is_met = has_ended(first.view.state);
    if (dependency.is_met && !ended_as_needed(first.view.state, dependency.condition)) {
      throw conflict(first, "cannot be waited for", "leave it out of --after");
    }
  }
}

}  // namespace

QueuedJob submit_job(JobTable& jobs, Submission submission, std::string_view actor) {
  QueuedJob& job = submission.job;
  check_dependencies(jobs, submission.after);
  Hold hold;
  for (const JobDependency& dependency : submission.after) {
    if (!dependency.is_met && !hold.is_held) {
      hold = {true, fmt::format("waiting_on:{}", dependency.after_id)};
    }
  }
  if (!hold.is_held && submission.not_before_ms && *submission.not_before_ms > jobs.now_ms()) {
    hold = {true, "not_before"};
  }
  job.is_held = hold.is_held;
  Queued first;
  first.reason = hold.reason;
  first.priority = submission.priority;
  first.not_before_ms = submission.not_before_ms;
  jobs.insert(job, first, actor);
  if (!submission.after.empty()) {
    add_dependencies(jobs, job, submission.after);
  }
  for (const std::string& file_id : submission.file_ids) {
    add_file(jobs.database(), job.id, file_id);
  }
  if (job.policy.wants_approval) {
    ask_for_approval(jobs, job);
  }
  return std::move(job);
}

QueuedJob cancel_job(JobTable& jobs, std::string_view id, std::string_view actor) {
  QueuedJob job = require_job(jobs.database(), id);
  if (has_ended(job.view.state)) {
    return job;
  }
  if (job.view.state == JobState::running) {
    if (job.view.wish != JobWish::cancel) {
      jobs.record(job, Requested{"cancel"}, JobActor::user, actor);
    }
    return job;
  }
  end_cancelled(jobs, job, JobActor::user, actor);
  return job;
}

QueuedJob pause_job(JobTable& jobs, std::string_view id, std::string_view actor) {
  QueuedJob job = require_job(jobs.database(), id);
  if (has_ended(job.view.state)) {
    throw conflict(job, "cannot be paused", "batchllm retry asks its failed rows again");
  }
  const bool goes_on_by_itself = job.view.reason == k_disk_full;
  if (job.view.state == JobState::paused && !goes_on_by_itself) {
    return job;
  }
  if (job.view.state == JobState::running) {
    if (job.view.wish != JobWish::run) {
      return job;
    }
    jobs.record(job, Requested{"pause"}, JobActor::user, actor);
    return job;
  }
  Paused data;
  data.reason = "user";
  data.fault = job.view.fault;
  data.attempt = job.view.attempt;
  data.crash_count = job.view.crash_count;
  data.counts = job.view.counts;
  jobs.record(job, data, JobActor::user, actor);
  return job;
}

QueuedJob resume_job(JobTable& jobs,
                     std::string_view id,
                     std::optional<std::int64_t> max_cost_micro_usd,
                     std::string_view actor) {
  QueuedJob job = require_job(jobs.database(), id);
  if (has_ended(job.view.state)) {
    throw conflict(job, "cannot go on", "batchllm retry asks its failed rows again");
  }
  if (job.view.state == JobState::waiting_input) {
    throw conflict(job, "waits for an answer", fmt::format("batchllm jobs answer {}", job.id));
  }
  if (max_cost_micro_usd) {
    JobChanges changes;
    changes.max_cost_micro_usd = max_cost_micro_usd;
    job = change_job(jobs, id, changes, actor);
  }
  if (job.view.state == JobState::running && job.view.wish == JobWish::pause) {
    jobs.record(job, Requested{"run"}, JobActor::user, actor);
  } else if (job.view.state == JobState::paused) {
    queue_again(jobs, job, actor);
    if (job.policy.wants_approval) {
      ask_for_approval(jobs, job);
    }
  }
  return job;
}

QueuedJob answer_job(JobTable& jobs,
                     std::string_view id,
                     std::string_view answer,
                     std::string_view actor) {
  QueuedJob job = require_job(jobs.database(), id);
  if (job.view.state != JobState::waiting_input || !job.view.question) {
    throw conflict(job, "asks nothing", "batchllm jobs show " + job.id);
  }
  const bool approves = answer == "yes" || answer == "y";
  const bool declines = answer == "no" || answer == "n" || answer == "stop";
  std::optional<std::int64_t> limit;
  if (job.view.question->kind == "cost_limit" && !declines) {
    const auto usd = parse_number(answer);
    if (!usd || !(*usd >= 1 / k_micro) || *usd > 1e9) {
      throw Error(ErrorCode::usage,
                  fmt::format("{} is no amount in USD", printable(answer)),
                  "answer with the new limit, such as 12.50, or with stop");
    }
    limit = std::llround(*usd * k_micro);
  } else if (!approves && !declines) {
    throw Error(ErrorCode::usage,
                fmt::format("{} is no answer to: {}", printable(answer), job.view.question->text),
                "answer with yes or no");
  }
  jobs.record(job, Answered{std::string(answer)}, JobActor::user, actor);
  if (declines && job.view.question->kind == "cost_limit") {
    Ended data;
    data.state = JobState::failed;
    data.exit_code = error_kind(ErrorCode::cost_limit).exit_code;
    data.fault = JobFault{"cost_limit", "the cost limit was not raised", ""};
    data.counts = job.view.counts;
    jobs.record(job, data, JobActor::user, actor);
    settle_dependents(jobs, job);
    return job;
  }
  if (declines) {
    end_cancelled(jobs, job, JobActor::user, actor);
    return job;
  }
  if (limit) {
    JobChanges changes;
    changes.max_cost_micro_usd = limit;
    job = change_job(jobs, job.id, changes, actor);
  }
  job.policy.wants_approval = false;
  jobs.describe(job);
  queue_again(jobs, job, actor);
  return job;
}

QueuedJob change_job(JobTable& jobs,
                     std::string_view id,
                     const JobChanges& changes,
                     std::string_view actor) {
  QueuedJob job = require_job(jobs.database(), id);
  if (has_ended(job.view.state) && (changes.priority || changes.max_cost_micro_usd)) {
    throw conflict(job, "cannot be changed", "name and tags can");
  }
  job.name = changes.name.value_or(job.name);
  job.tags = changes.tags.value_or(job.tags);
  if (changes.max_cost_micro_usd) {
    set_max_cost(job, *changes.max_cost_micro_usd);
  }
  Changed data;
  data.priority = changes.priority;
  data.name = changes.name;
  data.tags = changes.tags;
  data.max_cost_micro_usd = changes.max_cost_micro_usd;
  jobs.describe(job);
  jobs.record(job, data, JobActor::user, actor);
  return job;
}

void delete_job(JobTable& jobs, std::string_view id) {
  const QueuedJob job = require_job(jobs.database(), id);
  if (!has_ended(job.view.state)) {
    throw conflict(job, "cannot be deleted", fmt::format("batchllm jobs cancel {}", job.id));
  }
  release_answers_of(jobs.database(), job.id);
  auto deletion = jobs.database().prepare("DELETE FROM jobs WHERE number = ?");
  deletion.bind_all(job.number);
  deletion.run();
}

void settle_dependents(JobTable& jobs, const QueuedJob& ended) {
  // A chain of jobs may be long: no recursion.
  std::deque<QueuedJob> to_settle{ended};
  while (!to_settle.empty()) {
    const QueuedJob first = std::move(to_settle.front());
    to_settle.pop_front();
    for (const Dependent& dependency : waiting_for(jobs, first.id)) {
      auto update = jobs.database().prepare(
          "UPDATE job_dependencies SET is_met = 1 WHERE job_id = ? AND after_id = ?");
      update.bind_all(dependency.job_id, first.id);
      update.run();
      QueuedJob job = require_job(jobs.database(), dependency.job_id);
      if (has_ended(job.view.state)) {
        continue;
      }
      if (!ended_as_needed(first.view.state, dependency.condition)) {
        cancel_for_dependency(jobs, job, first);
        to_settle.push_back(std::move(job));
      } else if (job.view.state == JobState::queued) {
        const Hold hold = hold_of(jobs, job.id, job.view.not_before_ms);
        job.is_held = hold.is_held;
        jobs.record(job, queued_event(job, hold.reason), JobActor::scheduler, "scheduler");
      }
    }
  }
}

}  // namespace batchllm::daemon
