// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json_document.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// A job as the daemon's API tells it (`Job` of share/openapi.json), with what the views here need
// as typed values. What a daemon leaves out is empty.
struct DaemonJob {
  std::string id;
  std::string kind;  // "job", "task", "process"
  std::string name;
  std::string input;  // the first one's name
  std::uint64_t input_count = 0;
  std::string project;
  std::string state;   // a name of core/job_state.h
  std::string reason;  // why it does not run; empty while it runs
  std::string desired;
  std::string model;
  std::string output_path;
  std::string retry_of;
  std::int64_t priority = 0;
  std::int64_t attempt = 0;
  std::int64_t crash_count = 0;
  std::optional<int> exit_code;
  std::optional<std::uint64_t> rows_total;
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
  std::int64_t cost_micro_usd = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::optional<std::int64_t> not_before_ms;
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> started_ms;
  std::optional<std::int64_t> finished_ms;
  std::string question;       // empty: it asks nothing
  std::string question_kind;  // "approval" or "cost_limit"
  std::string error_code;     // empty: nothing stopped it
  std::string error_message;
  std::string error_hint;
  std::string last_event;  // its number, for Last-Event-ID
  JsonNode document;       // the whole answer
};

DaemonJob read_daemon_job(JsonNode document);

// "tickets.csv and 2 more"; empty when there are none.
std::string inputs_text(std::string_view first, std::size_t count);

// True when nothing changes any more.
bool has_ended(const DaemonJob& job);

// The exit code when there is nothing to wait for without a person: as `run` would have ended; 5
// or 11 when a limit or a full disk paused the job, 12 when it asks a question. Nothing while it
// goes on by itself, and when a person paused it: who did that means to go on with it.
std::optional<int> settled_exit_code(const DaemonJob& job);

// Why it stands as it does, for people: "waits for its turn", "paused by its cost limit: …"; empty
// when there is nothing to say.
std::string reason_text(const DaemonJob& job);

// The lines of `jobs show`.
std::string daemon_job_text(const DaemonJob& job);

// The members that `jobs list --json` has for every job, and what only the daemon knows.
std::string daemon_job_json(const DaemonJob& job);

}  // namespace batchllm
