// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_event.h"
#include "core/job_settings.h"
#include "core/job_view.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace batchllm::daemon {

// What a job is to its user. Tasks and calls of /process have places of their own to run in: they
// do not wait behind jobs that take hours.
enum class JobKind : std::uint8_t { job, task, process };

std::string_view job_kind_name(JobKind kind) noexcept;
std::optional<JobKind> job_kind_from_name(std::string_view name) noexcept;

// How a job is handled beyond what `run` knows.
struct JobPolicy {
  bool wants_approval = false;       // asks a person before it begins
  bool asks_at_limit = false;        // asks at its cost limit instead of pausing there
  std::int64_t max_attempts = 5;     // at the job, when its provider or the machine fails
  bool retries_failed = false;       // took over another job's ledger: asks its failed rows again
  std::set<std::string> retry_only;  // names of row failures; empty: all
  bool trusts_environment = false;   // asked for by the daemon's own user on the socket: any
                                     // variable of the daemon's may be named for the key
  bool brings_key = false;           // its key came with the request and is on no disk
  std::string task_type;             // of a task: the template it was made from

  bool operator==(const JobPolicy&) const = default;
};

std::string job_policy_json(const JobPolicy& policy);
JobPolicy parse_job_policy(std::string_view json);  // throws Error(job_corrupt)

enum class DependencyCondition : std::uint8_t { ok, any, not_ok };

struct JobDependency {
  std::string after_id;
  DependencyCondition condition = DependencyCondition::ok;
  bool is_met = false;
};

// The lane of a job: those that ask the same model at the same address with the same key.
std::string lane_of(std::string_view endpoint, const JobSettings& settings);

// A job as the database has it.
struct QueuedJob {
  std::int64_t number = 0;  // in the order of submission
  std::string id;
  JobKind kind = JobKind::job;
  std::string project;
  JobView view;
  bool is_held = false;  // waits for a time or another job: not to be claimed
  std::string owner;     // the worker that has it
  std::optional<std::int64_t> lease_until_ms;
  std::string name;
  std::string tags;  // JSON object of strings
  std::string model;
  std::string lane;               // jobs of one lane share its limits
  std::int64_t concurrency = 32;  // rows in flight that it asks for
  std::optional<std::int64_t> max_cost_micro_usd;
  std::string output_path;  // empty: in the job's folder
  JobPolicy policy;
  std::string retry_of;
  std::string schedule_id;
  std::optional<std::int64_t> fire_at_ms;  // the slot of the schedule; written once
  std::string record;                      // JSON of core/job_record.h, without id
};

}  // namespace batchllm::daemon
