// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_leases.h"

#include "core/error.h"
#include "daemon/queue/job_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace batchllm::daemon {
namespace {

using namespace job_event;

constexpr int k_doublings_at_most = 20;
constexpr std::string_view k_daemon_stopped = "daemon_stopped";

std::map<std::string, std::int64_t> running_by_project(sql::Database& database, JobKind kind) {
  std::map<std::string, std::int64_t> running;
  auto query = database.prepare(
      "SELECT project, count(*) FROM jobs WHERE state BETWEEN 1 AND 4 AND state = 1 AND kind = ? "
      "GROUP BY project");
  query.bind_all(static_cast<std::int64_t>(kind));
  while (query.step()) {
    running[std::string(query.text(0))] = query.integer(1);
  }
  return running;
}

// The job of a project that is next; its number in the table.
struct Candidate {
  std::int64_t number = 0;
  std::int64_t claim_key = 0;
  std::int64_t running = 0;
};

std::optional<Candidate> first_of(sql::Database& database, JobKind kind, std::string_view project) {
  auto query = database.prepare(
      "SELECT number, claim_key FROM jobs WHERE state = 0 AND held = 0 AND kind = ? AND project = "
      "? ORDER BY claim_key, number LIMIT 1");
  query.bind_all(static_cast<std::int64_t>(kind), project);
  if (!query.step()) {
    return std::nullopt;
  }
  return Candidate{query.integer(0), query.integer(1), 0};
}

std::optional<Candidate> choose(sql::Database& database, JobKind kind) {
  auto running = running_by_project(database, kind);
  std::optional<Candidate> chosen;
  auto projects = database.prepare("SELECT name, max_running FROM projects");
  while (projects.step()) {
    const std::string name(projects.text(0));
    const auto most = projects.optional_integer(1);
    if (most && running[name] >= *most) {
      continue;
    }
    auto candidate = first_of(database, kind, name);
    if (!candidate) {
      continue;
    }
    candidate->running = running[name];
    if (!chosen || std::pair(candidate->running, candidate->claim_key) <
                       std::pair(chosen->running, chosen->claim_key)) {
      chosen = candidate;
    }
  }
  return chosen;
}

// The job when the worker with this fencing number still has it.
std::optional<QueuedJob> in_hand(JobTable& jobs, std::string_view id, std::int64_t epoch) {
  auto job = read_job(jobs.database(), id);
  if (!job || job->view.state != JobState::running || job->view.epoch != epoch) {
    return std::nullopt;
  }
  return job;
}

void close_attempt(JobTable& jobs,
                   const QueuedJob& job,
                   std::string_view outcome,
                   std::string_view message) {
  auto update = jobs.database().prepare(
      "UPDATE attempts SET ended_at = ?, outcome = ?, message = ? WHERE job_id = ? AND epoch = ?");
  update.bind_all(jobs.now_ms(), outcome, message, job.id, job.view.epoch);
  update.run();
}

void queue_after(JobTable& jobs,
                 QueuedJob& job,
                 std::string reason,
                 std::string message,
                 std::int64_t wait_ms,
                 JobActor who,
                 std::string_view actor) {
  Queued data;
  data.reason = std::move(reason);
  data.message = std::move(message);
  data.priority = job.view.priority;
  data.attempt = job.view.attempt;
  data.crash_count = job.view.crash_count;
  if (wait_ms > 0) {
    data.not_before_ms = jobs.now_ms() + wait_ms;
  }
  job.is_held = wait_ms > 0;
  jobs.record(job, data, who, actor);
}

// An interrupted job goes on as its user wishes.
void go_on_after_interruption(JobTable& jobs,
                              QueuedJob& job,
                              std::string reason,
                              std::int64_t wait_ms) {
  if (job.view.wish == JobWish::cancel) {
    job = cancel_job(jobs, job.id, "rescuer");
  } else if (job.view.wish == JobWish::pause) {
    job = pause_job(jobs, job.id, "rescuer");
  } else {
    queue_after(jobs, job, std::move(reason), "", wait_ms, JobActor::rescuer, "rescuer");
  }
}

// A job that takes its workers down is not tried for ever.
void set_aside(JobTable& jobs, QueuedJob& job, std::string_view reason) {
  Paused data;
  data.reason = "crash_limit";
  data.attempt = job.view.attempt;
  data.crash_count = job.view.crash_count;
  data.counts = job.view.counts;
  data.fault = JobFault{"internal",
                        fmt::format("its worker died {} times ({})", k_crash_limit, reason),
                        "look at it with batchllm jobs logs, then batchllm jobs resume"};
  jobs.record(job, data, JobActor::rescuer, "rescuer");
}

// Whether the attempt that runs has come further than those before it.
bool has_advanced(JobTable& jobs, const QueuedJob& job) {
  const auto before = jobs.database().integer(
      "SELECT max(data ->> 'ok' + data ->> 'failed' + data ->> 'skipped') FROM job_events WHERE "
      "job_id = ?1 AND type IN ('job.progress', 'job.paused', 'job.waiting_input') AND seq < "
      "(SELECT max(seq) FROM job_events WHERE job_id = ?1 AND type = 'job.started')",
      job.id);
  return job.view.counts.done() > before.value_or(0);
}

// Crashes one after another: a job that comes further with every attempt is not to blame for them,
// and neither is one whose worker went with the daemon.
std::int64_t crashes_of(JobTable& jobs, const QueuedJob& job, bool is_to_blame) {
  if (!is_to_blame) {
    return std::max<std::int64_t>(0, job.view.crash_count - 1);
  }
  return has_advanced(jobs, job) ? 1 : job.view.crash_count;
}

// What ends a run without the job being to blame, and passes.
bool may_pass(std::string_view fault) noexcept {
  constexpr std::array<std::string_view, 5> k_passing = {
      "provider_unreachable", "provider_failing", "quota_exhausted", "job_locked", "storage"};
  return std::find(k_passing.begin(), k_passing.end(), fault) != k_passing.end();
}

class RunEnd {
 public:
  RunEnd(JobTable& jobs, QueuedJob& job, const RunEnding& ending, const Backoff& backoff)
      : jobs_(jobs),
        job_(job),
        ending_(ending),
        backoff_(backoff),
        actor_(job.owner) {}

  void settle() {
    close_attempt(jobs_,
                  job_,
                  ending_.fault ? std::string_view(ending_.fault->code) : outcome(),
                  ending_.fault ? std::string_view(ending_.fault->message) : "");
    switch (ending_.why) {
      case RunEnding::Why::cancelled:
        end(JobState::cancelled);
        return;
      case RunEnding::Why::paused:
        stop_as_wished();
        return;
      case RunEnding::Why::shut_down:
        shut_down();
        return;
      default:
        finish();
    }
  }

 private:
  std::string_view outcome() const noexcept {
    switch (ending_.why) {
      case RunEnding::Why::cancelled:
        return "cancelled";
      case RunEnding::Why::paused:
        return "paused";
      case RunEnding::Why::shut_down:
        return k_daemon_stopped;
      default:
        return ending_.is_partial ? "partial" : "succeeded";
    }
  }

  // The run stopped for a pause; meanwhile somebody may have changed their mind.
  void stop_as_wished() {
    if (job_.view.wish == JobWish::cancel) {
      end(JobState::cancelled);
    } else if (job_.view.wish == JobWish::pause) {
      pause("user");
    } else {
      --job_.view.attempt;
      go_back_to_queue("queue", "", 0);
    }
  }

  void finish() {
    if (!ending_.fault) {
      end(ending_.is_partial ? JobState::partial : JobState::succeeded);
      return;
    }
    const std::string& code = ending_.fault->code;
    if (job_.view.wish == JobWish::cancel) {
      end(JobState::cancelled);
    } else if (code == "cost_limit" && job_.policy.asks_at_limit) {
      ask_for_limit();
    } else if (code == "cost_limit") {
      pause(code);
    } else if (job_.view.wish == JobWish::pause && (code == "storage_full" || may_try_again())) {
      pause("user");  // not to go on by itself
    } else if (code == "storage_full") {
      pause("disk_full");
    } else if (may_try_again()) {
      go_back_to_queue(code, ending_.fault->message, backoff_.after(job_.view.attempt));
    } else {
      end(JobState::failed);
    }
  }

  bool may_try_again() const {
    return may_pass(ending_.fault->code) && job_.view.attempt < job_.policy.max_attempts;
  }

  void end(JobState state) {
    Ended data;
    data.state = state;
    data.exit_code = state == JobState::cancelled ? 130 : ending_.exit_code;
    data.fault = ending_.fault;
    data.counts = ending_.counts;
    jobs_.record(job_, data, JobActor::owner, actor_);
    settle_dependents(jobs_, job_);
  }

  // An attempt that was stopped from outside does not count.
  void pause(std::string_view reason) {
    Paused data;
    data.reason = reason;
    data.fault = ending_.fault;
    data.attempt = job_.view.attempt - 1;
    data.counts = ending_.counts;
    jobs_.record(job_, data, JobActor::owner, actor_);
  }

  void ask_for_limit() {
    WaitingInput data;
    data.question = {"cost_limit", ending_.fault->message + ". What is the new limit in USD?"};
    data.attempt = job_.view.attempt - 1;
    data.counts = ending_.counts;
    jobs_.record(job_, data, JobActor::owner, actor_);
  }

  void go_back_to_queue(std::string reason, std::string message, std::int64_t wait_ms) {
    note_counts();
    job_.view.crash_count = 0;
    queue_after(
        jobs_, job_, std::move(reason), std::move(message), wait_ms, JobActor::owner, actor_);
  }

  void shut_down() {
    note_counts();
    Interrupted data;
    data.reason = k_daemon_stopped;
    data.attempt = job_.view.attempt - 1;
    data.crash_count = std::max<std::int64_t>(0, job_.view.crash_count - 1);
    jobs_.record(job_, data, JobActor::owner, actor_);
    go_on_after_interruption(jobs_, job_, "queue", 0);
  }

  void note_counts() {
    if (!(job_.view.counts == ending_.counts)) {
      jobs_.record(job_, Progress{ending_.counts}, JobActor::owner, actor_);
    }
  }

  JobTable& jobs_;
  QueuedJob& job_;
  const RunEnding& ending_;
  const Backoff& backoff_;
  std::string actor_;
};

}  // namespace

std::int64_t Backoff::after(std::int64_t failures) const noexcept {
  const auto doublings = std::clamp<std::int64_t>(failures - 1, 0, k_doublings_at_most);
  return std::min(first_ms << doublings, most_ms);
}

std::optional<QueuedJob> claim_job(JobTable& jobs,
                                   JobKind kind,
                                   std::string_view worker,
                                   std::int64_t lease_until_ms) {
  const auto chosen = choose(jobs.database(), kind);
  if (!chosen) {
    return std::nullopt;
  }
  QueuedJob job =
      std::move(read_jobs(jobs.database(), "WHERE number = ?", {chosen->number}).front());
  Started data;
  data.attempt = job.view.attempt + 1;
  data.crash_count = job.view.crash_count + 1;  // until it ends, it may be about to crash
  data.epoch = job.view.epoch + 1;
  data.worker = worker;
  job.owner = worker;
  job.lease_until_ms = lease_until_ms;
  jobs.record(job, data, JobActor::scheduler, "scheduler");
  auto insertion = jobs.database().prepare(
      "INSERT INTO attempts (job_id, epoch, worker, started_at) VALUES (?, ?, ?, ?)");
  insertion.bind_all(job.id, job.view.epoch, worker, jobs.now_ms());
  insertion.run();
  return job;
}

bool has_job_to_claim(sql::Database& database, JobKind kind) {
  return choose(database, kind).has_value();
}

bool note_progress(JobTable& jobs,
                   std::string_view id,
                   std::int64_t epoch,
                   std::int64_t lease_until_ms,
                   const JobCounts& counts,
                   bool is_kept) {
  if (!is_kept) {
    auto update = jobs.database().prepare(
        "UPDATE jobs SET lease_until = ? WHERE id = ? AND state = 1 AND epoch = ?");
    update.bind_all(lease_until_ms, id, epoch);
    update.run();
    return jobs.database().changes() == 1;
  }
  auto job = in_hand(jobs, id, epoch);
  if (!job) {
    return false;
  }
  job->lease_until_ms = lease_until_ms;
  const std::string owner = job->owner;
  jobs.record(*job, Progress{counts}, JobActor::owner, owner);
  return true;
}

bool note_text(JobTable& jobs,
               std::string_view id,
               std::int64_t epoch,
               std::string_view worker,
               std::string_view level,
               std::string_view text) {
  // Also what is saved late, when the run has ended already: until the next one begins.
  auto job = read_job(jobs.database(), id);
  if (!job || job->view.epoch != epoch) {
    return false;
  }
  jobs.record(*job, Log{std::string(level), std::string(text)}, JobActor::owner, worker);
  return true;
}

std::optional<QueuedJob> end_run(JobTable& jobs,
                                 std::string_view id,
                                 std::int64_t epoch,
                                 const RunEnding& ending,
                                 const Backoff& backoff) {
  auto job = in_hand(jobs, id, epoch);
  if (job) {
    RunEnd(jobs, *job, ending, backoff).settle();
  }
  return job;
}

std::optional<QueuedJob> rescue_job(JobTable& jobs,
                                    std::string_view id,
                                    std::int64_t epoch,
                                    std::string_view reason,
                                    const Backoff& backoff) {
  auto job = in_hand(jobs, id, epoch);
  if (!job) {
    return std::nullopt;
  }
  close_attempt(jobs, *job, reason, "");
  // A job cannot take the daemon down: its workers are other processes.
  const bool is_to_blame = reason != k_daemon_stopped && reason != "daemon_died";
  Interrupted data;
  data.reason = reason;
  data.attempt = job->view.attempt - 1;  // a crash is counted apart
  data.crash_count = crashes_of(jobs, *job, is_to_blame);
  jobs.record(*job, data, JobActor::rescuer, "rescuer");
  const std::int64_t crashes = job->view.crash_count;
  if (job->view.wish == JobWish::run && crashes >= k_crash_limit) {
    set_aside(jobs, *job, reason);
  } else {
    go_on_after_interruption(
        jobs, *job, std::string(reason), is_to_blame ? backoff.after(crashes) : 0);
  }
  return job;
}

void requeue_interrupted(JobTable& jobs, std::string_view id) {
  auto job = read_job(jobs.database(), id);
  if (job && job->view.state == JobState::interrupted) {
    go_on_after_interruption(jobs, *job, "queue", 0);
  }
}

void resume_after_full_disk(JobTable& jobs) {
  for (QueuedJob job : read_jobs(jobs.database(),
                                 "WHERE state BETWEEN 1 AND 4 AND state = 2 AND reason = "
                                 "'disk_full'",
                                 {})) {
    queue_after(jobs, job, "queue", "", 0, JobActor::scheduler, "scheduler");
  }
}

int release_due_jobs(JobTable& jobs, int limit) {
  const auto due =
      read_jobs(jobs.database(),
                "WHERE state = 0 AND held = 1 AND not_before <= ? AND NOT EXISTS (SELECT 1 FROM "
                "job_dependencies WHERE job_id = jobs.id AND is_met = 0) LIMIT ?",
                {jobs.now_ms(), std::int64_t{limit}});
  for (QueuedJob job : due) {
    queue_after(jobs, job, "queue", "", 0, JobActor::scheduler, "scheduler");
  }
  return static_cast<int>(due.size());
}

std::optional<std::int64_t> next_due_ms(sql::Database& database) {
  auto query = database.prepare(
      "SELECT not_before FROM jobs WHERE state = 0 AND held = 1 AND not_before IS NOT NULL AND NOT "
      "EXISTS (SELECT 1 FROM job_dependencies WHERE job_id = jobs.id AND is_met = 0) ORDER BY "
      "not_before LIMIT 1");
  return query.step() ? query.optional_integer(0) : std::nullopt;
}

}  // namespace batchllm::daemon
