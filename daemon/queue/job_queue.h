// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/queue/job_table.h"
#include "daemon/queue/queued_job.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

// What users do to jobs. Each function is one transaction's work: it happens as a whole or not at
// all, and is durable when the write that called it returns. `actor` is who asked for it, as in
// events: "user:1000".

struct Submission {
  QueuedJob job;  // without id, number and view
  std::int64_t priority = 0;
  std::optional<std::int64_t> not_before_ms;
  std::vector<JobDependency> after;
  std::vector<std::string> file_ids;  // of the content store: kept as long as the job
};

// Queues a job. Throws Error(job_not_found | job_conflict) for a job to wait for that is not there
// or has ended otherwise than it must, Error(file_not_found) for a file that is not there.
QueuedJob submit_job(JobTable& jobs, Submission submission, std::string_view actor);

// Cancels: at once what nobody runs; of a running job the wish is noted and its worker ends it. A
// job that has ended stays as it is.
QueuedJob cancel_job(JobTable& jobs, std::string_view id, std::string_view actor);

// Pauses. Throws Error(job_conflict) for a job that has ended.
QueuedJob pause_job(JobTable& jobs, std::string_view id, std::string_view actor);

// Puts a paused job back into the queue; with `max_cost_micro_usd` under a new cost limit. One that
// nobody has approved yet asks again. A job that is queued or running stays as it is. Throws
// Error(job_conflict) for a job that has ended or waits for an answer.
QueuedJob resume_job(JobTable& jobs,
                     std::string_view id,
                     std::optional<std::int64_t> max_cost_micro_usd,
                     std::string_view actor);

// Answers the question of a job that waits for one: yes or no to an approval, an amount in USD or
// "stop" at a cost limit. Throws Error(job_conflict) when it asks nothing, Error(usage) for an
// answer that does not fit.
QueuedJob answer_job(JobTable& jobs,
                     std::string_view id,
                     std::string_view answer,
                     std::string_view actor);

struct JobChanges {
  std::optional<std::int64_t> priority;
  std::optional<std::string> name;
  std::optional<std::string> tags;  // JSON object of strings
  std::optional<std::int64_t> max_cost_micro_usd;
};

// Changes a job; of one that has ended only name and tags: anything else throws
// Error(job_conflict).
QueuedJob change_job(JobTable& jobs,
                     std::string_view id,
                     const JobChanges& changes,
                     std::string_view actor);

// Deletes a job that has ended, with its events and history (its folder is the caller's). Throws
// Error(job_conflict) for one that has not, or that another job waits for.
void delete_job(JobTable& jobs, std::string_view id);

// Jobs that wait for `job`, which has just ended: they are released, or cancelled when it ended
// otherwise than they need.
void settle_dependents(JobTable& jobs, const QueuedJob& job);

}  // namespace batchllm::daemon
