// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_settings.h"
#include "core/shard.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// How one input looked when the job began; a resume compares.
struct InputFingerprint {
  std::string path;  // absolute; of the copy in the job's folder for standard input
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  // of the inode: cannot be set back
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  bool from_stdin = false;
  std::string base_folder = {};  // where relative image paths begin; empty: beside the input
  bool is_stored = false;  // found by its content, which therefore cannot change: not compared
};

struct MessageText {
  std::string role;
  std::string text;
  std::string origin;  // for messages: "--prompt", "ask.txt"

  bool operator==(const MessageText&) const = default;
};

// A step of a row behind the first. Of `model` only what differs from the job's is set, and nothing
// of where it is and how it is paid; `answer` is the step's own, but for how often it is asked
// again.
struct JobStep {
  std::string name;
  std::string when;  // an expression of core/row_filter.h over the row and the steps before
  std::vector<MessageText> messages;
  ModelSettings model;
  AnswerSettings answer;
};

enum class JobStatus : std::uint8_t { running, interrupted, failed, partial, succeeded };

std::string_view job_status_name(JobStatus status) noexcept;
std::optional<JobStatus> job_status_from_name(std::string_view name) noexcept;

// job.json: what a job was asked to do and how it stands. `running` is what a killed job says, too:
// whether its process lives is told by the lock.
struct JobRecord {
  static constexpr int k_version = 1;

  std::string id;
  std::int64_t created_ms = 0;
  std::int64_t finished_ms = 0;  // 0: not yet
  JobSettings settings;
  std::vector<MessageText>
      messages;                      // of the only or first step; `settings` has its model and form
  std::string first_step = "1";      // its name
  std::vector<JobStep> later_steps;  // what a row is asked with the answers of the steps before
  // The steps are one question to several models, each named as the user wrote it; none knows of
  // the answers of the others.
  bool compares = false;
  std::vector<InputFingerprint> inputs;
  std::string output_path;        // absolute; "-": stdout
  bool result_in_folder = false;  // it is result.EXT in the job's folder, whatever else is said
  bool queued_by_daemon = false;  // the daemon's queue has it, or had it before it was damaged
  std::string identity;           // equal for the same command on the same inputs
  JobStatus status = JobStatus::running;
  std::string stop_code;  // ErrorCode name of what stopped it; empty when it ran to its end
  std::string stop_message;
  ShardTotals totals;
};

// The form of the row's answer: that of the last step.
const AnswerSettings& result_answer(const JobRecord& record) noexcept;

// The models that a job compares, as the user wrote them; empty for other jobs.
std::vector<std::string> compared_models(const JobRecord& record);

// The model that is asked, for people; of a job that compares, all of them: "openai/a, openai/b".
std::string asked_models(const JobRecord& record);

std::string job_record_json(const JobRecord& record);

// Throws Error(job_corrupt) naming `origin`.
JobRecord parse_job_record(std::string_view json, const std::string& origin);

// Sixteen hexadecimal digits that are equal when the job asks the same of the same inputs and
// writes the same output: settings without limits and policies, messages, input paths.
std::string job_identity(const JobRecord& record);

// Reads size, times and place of the file. Throws Error(input_missing | input_unreadable).
InputFingerprint fingerprint_input(const std::string& path);

}  // namespace batchllm
