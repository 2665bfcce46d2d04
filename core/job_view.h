// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_event.h"
#include "core/job_state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// The state of a job as its events tell it, and nothing else does: what is stored beside the events
// is made by `apply` too.
struct JobView {
  JobState state = JobState::queued;
  std::string reason;  // why it does not run; empty while it runs and when it succeeded
  JobWish wish = JobWish::run;
  std::int64_t priority = 0;
  std::int64_t attempt = 0;
  std::int64_t crash_count = 0;
  std::int64_t epoch = 0;
  std::optional<std::int64_t> not_before_ms;
  JobCounts counts;
  std::optional<JobFault> fault;
  std::optional<JobQuestion> question;
  std::optional<std::int64_t> exit_code;
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> started_ms;  // of the first attempt
  std::optional<std::int64_t> finished_ms;
  std::int64_t last_seq = 0;

  bool operator==(const JobView&) const = default;
};

// Of the job.queued that takes up a job after its end; see apply().
constexpr std::string_view k_retry_reason = "retry";

// Takes the next event into the view. Throws Error(job_corrupt) when its number is not the next
// one, for a wish nobody knows, or when the job has ended before it: then a log line, another name
// and other tags may still come, and a job.queued with the reason "retry", which starts a job anew
// that was not cancelled. (The jobs of the daemon are retried as new jobs: its transition table,
// core/job_state.h, lets no job leave its end.)
void apply(JobView& view, const JobEvent& event);

}  // namespace batchllm
