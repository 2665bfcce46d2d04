// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/queue/job_table.h"
#include "daemon/queue/queued_job.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// Giving jobs to workers and taking them back: claims are leases with a fencing number (epoch) that
// grows with every claim. What a worker says of a job counts only with the number it was given.

// How long an attempt at a job is waited for before the next: doubled each time.
struct Backoff {
  std::int64_t first_ms = 5'000;
  std::int64_t most_ms = 600'000;

  std::int64_t after(std::int64_t failures) const noexcept;
};

// Crashes of its worker that a job may cause, one after another without coming further, before it
// is set aside.
constexpr std::int64_t k_crash_limit = 3;

// Takes the next job: of the projects that have one waiting and a place free, the one with the
// fewest running; within it the one whose priority, grown by its wait, is highest. The cost does
// not depend on how many jobs wait. nullopt: none may begin.
std::optional<QueuedJob> claim_job(JobTable& jobs,
                                   JobKind kind,
                                   std::string_view worker,
                                   std::int64_t lease_until_ms);

// Whether claim_job would find one. On any connection.
bool has_job_to_claim(sql::Database& database, JobKind kind);

// The worker lives and has come this far. False: the job is not its any more. A progress event is
// kept only when `is_kept`.
bool note_progress(JobTable& jobs,
                   std::string_view id,
                   std::int64_t epoch,
                   std::int64_t lease_until_ms,
                   const JobCounts& counts,
                   bool is_kept);

// Keeps what a worker says for people ("info", "warning"). False: another worker has the job, or it
// is not there any more; nothing was kept.
bool note_text(JobTable& jobs,
               std::string_view id,
               std::int64_t epoch,
               std::string_view worker,
               std::string_view level,
               std::string_view text);

// How a worker's run of a job ended.
struct RunEnding {
  enum class Why : std::uint8_t {
    finished,  // ran to its end, or to a fault
    paused,    // stopped as it was told to
    cancelled,
    shut_down,  // stopped because the daemon does
  };

  Why why = Why::finished;
  std::optional<JobFault> fault;
  std::int64_t exit_code = 0;
  bool is_partial = false;  // rows failed or were skipped
  JobCounts counts;
};

// What becomes of a job whose run ended. nullopt: another worker has it, what this one says does
// not count.
std::optional<QueuedJob> end_run(JobTable& jobs,
                                 std::string_view id,
                                 std::int64_t epoch,
                                 const RunEnding& ending,
                                 const Backoff& backoff);

// The worker that had the job is gone ("worker_died", "lease_lost", "daemon_died"): it goes back to
// the queue after a while, or is set aside when that happened too often; at once and unblamed when
// the worker was ended with its daemon ("daemon_stopped"). nullopt: the job is not
// in that worker's hands any more.
std::optional<QueuedJob> rescue_job(JobTable& jobs,
                                    std::string_view id,
                                    std::int64_t epoch,
                                    std::string_view reason,
                                    const Backoff& backoff);

// A job that was found interrupted, its daemon having ended between two steps, goes back as well.
void requeue_interrupted(JobTable& jobs, std::string_view id);

// Jobs that paused because the disk was full go back to the queue.
void resume_after_full_disk(JobTable& jobs);

// Lets queued jobs run whose time has come, at most `limit` of them; returns how many.
int release_due_jobs(JobTable& jobs, int limit);

// When the next held job may run; nullopt: none waits for a time.
std::optional<std::int64_t> next_due_ms(sql::Database& database);

}  // namespace batchllm::daemon
