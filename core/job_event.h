// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_state.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace batchllm {

class Error;
struct ProgressSnapshot;

// Rows and what they cost, as they stand with an event: sums of the whole job, never differences.
struct JobCounts {
  std::optional<std::int64_t> rows_total;  // as far as it is known
  std::int64_t ok = 0;
  std::int64_t failed = 0;
  std::int64_t skipped = 0;
  std::int64_t cost_micro_usd = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;

  std::int64_t done() const noexcept { return ok + failed + skipped; }

  bool operator==(const JobCounts&) const = default;
};

// Why something stopped, in the words of core/error.h.
struct JobFault {
  std::string code;  // name of an ErrorCode
  std::string message;
  std::string hint;

  bool operator==(const JobFault&) const = default;
};

JobCounts counts_of(const ProgressSnapshot& snapshot);
JobFault fault_of(const Error& error);

// What a job that waits for a person asks.
struct JobQuestion {
  std::string kind;  // "approval" (yes | no) or "cost_limit" (a new limit in USD | stop)
  std::string text;

  bool operator==(const JobQuestion&) const = default;
};

// The payloads, version 1 of each. A member that an event does not speak of stays as it was.
// Members are never renamed and never change their meaning: what must change gets a new version.
namespace job_event {

struct Queued {
  std::string reason;  // why it is not running: "queue", "not_before", "waiting_on", "retry", …
  std::string message;
  std::optional<std::int64_t> not_before_ms;  // wall clock; it does not start earlier
  std::int64_t priority = 0;
  std::int64_t attempt = 0;  // attempts that count so far
  std::int64_t crash_count = 0;
};

struct Started {
  std::int64_t attempt = 0;
  std::int64_t crash_count = 0;
  std::int64_t epoch = 0;  // the fencing number
  std::string worker;
};

struct Progress {
  JobCounts counts;
};

struct Paused {
  std::string reason;  // "user", "cost_limit", "disk_full", "crash_limit", …
  std::optional<JobFault> fault;
  std::int64_t attempt = 0;
  std::int64_t crash_count = 0;
  JobCounts counts;
};

struct Interrupted {
  std::string reason;  // "daemon_stopped", "lease_lost", "worker_died", "daemon_died"
  std::int64_t attempt = 0;
  std::int64_t crash_count = 0;
};

struct WaitingInput {
  JobQuestion question;
  std::int64_t attempt = 0;
  std::int64_t crash_count = 0;
  JobCounts counts;
};

struct Answered {
  std::string answer;
};

// succeeded, partial, failed, cancelled.
struct Ended {
  JobState state = JobState::succeeded;  // told by the event's type
  std::int64_t exit_code = 0;            // as `run` would have ended
  std::optional<JobFault> fault;
  JobCounts counts;
};

// Somebody said what is to become of the job.
struct Requested {
  std::string wish;  // job_wish_name
};

struct Changed {
  std::optional<std::int64_t> priority;
  std::optional<std::string> name;
  std::optional<std::string> tags;  // JSON object of strings, as a whole
  std::optional<std::int64_t> max_cost_micro_usd;
};

// Something a person should read.
struct Log {
  std::string level;  // "info", "warning"
  std::string text;
};

}  // namespace job_event

using JobEventData = std::variant<job_event::Queued,
                                  job_event::Started,
                                  job_event::Progress,
                                  job_event::Paused,
                                  job_event::Interrupted,
                                  job_event::WaitingInput,
                                  job_event::Answered,
                                  job_event::Ended,
                                  job_event::Requested,
                                  job_event::Changed,
                                  job_event::Log>;

constexpr int k_job_event_version = 1;

// One numbered fact of a job: numbers start at 1 and have no gaps.
struct JobEvent {
  std::int64_t seq = 0;
  std::int64_t at_ms = 0;  // wall clock
  std::string actor;       // "user:1000", "scheduler", "worker:4711", "rescuer"
  JobEventData data;
};

// "job.queued", "job.started", … ; the four ends have a type each.
std::string_view job_event_type(const JobEventData& data) noexcept;

// The payload as a JSON object.
std::string job_event_json(const JobEventData& data);

// Reads a payload; every member must be there with its type, and no other. Throws
// Error(job_corrupt) naming type and member.
JobEventData parse_job_event(std::string_view type, int version, std::string_view json);

// {"seq":…,"at":"2026-…Z","type":…,"version":1,"actor":…,"data":{…}} from its parts at rest.
std::string job_event_document(std::int64_t seq,
                               std::int64_t at_ms,
                               std::string_view type,
                               std::int64_t version,
                               std::string_view actor,
                               std::string_view data_json);

}  // namespace batchllm
