// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/task_document.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/ledger.h"
#include "core/text.h"
#include "core/time_text.h"
#include "daemon/api/job_document.h"

#include <fmt/format.h>

#include <array>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_longest_input = std::size_t{64} << 20;

constexpr std::array k_states = {JobState::queued,
                                 JobState::running,
                                 JobState::paused,
                                 JobState::interrupted,
                                 JobState::waiting_input,
                                 JobState::succeeded,
                                 JobState::partial,
                                 JobState::failed,
                                 JobState::cancelled};

// The one row as the task brought it.
std::string input_of(const ApiContext& context, sql::Database& database, const QueuedJob& job) {
  const auto sha256 = database.string(
      "SELECT sha256 FROM job_files JOIN files ON files.id = file_id WHERE job_id = ?", job.id);
  if (!sha256) {
    return "{}";
  }
  const std::string row = read_file(context.content.path_of(*sha256).string(), k_longest_input);
  return std::string(trim(row));
}

std::optional<Outcome> outcome_of(const ApiContext& context, const QueuedJob& job) {
  std::optional<Outcome> latest;
  scan_ledger(Ledger::shard_path(context.state_dir / "jobs" / job.id, 0),
              [&latest](std::uint64_t, std::string_view line, const LineGlance&) {
                latest = read_outcome_line(line);
              });
  return latest;
}

struct TaskEnd {
  std::optional<std::string> output;
  std::string error;
  std::string failure;
};

// Why there is no answer: the row's failure tells more than "a row failed".
TaskEnd end_of(const ApiContext& context, const QueuedJob& job) {
  TaskEnd end;
  if (!has_ended(job.view.state)) {
    return end;
  }
  const auto outcome = outcome_of(context, job);
  if (job.view.state == JobState::succeeded && outcome) {
    end.output = outcome->output;
    return end;
  }
  if (outcome && outcome->status != RowStatus::ok) {
    end.failure = failure_name(outcome->failure);
    end.error = outcome->message.empty() ? end.failure : outcome->message;
  } else if (job.view.fault) {
    end.failure = job.view.fault->code;
    end.error = job.view.fault->message;
  } else if (job.view.state == JobState::cancelled) {
    end.failure = "cancelled";
    end.error = "the task was cancelled";
  } else {
    end.failure = job_state_name(job.view.state);
    end.error = fmt::format("the task ended as {}", end.failure);
  }
  return end;
}

std::int64_t changed_ms(sql::Database& database, const QueuedJob& job) {
  return database
      .integer("SELECT at FROM job_events WHERE job_id = ? AND seq = ?", job.id, job.view.last_seq)
      .value_or(job.view.created_ms);
}

}  // namespace

std::string_view task_status(JobState state) noexcept {
  if (state == JobState::running) {
    return "running";
  }
  if (state == JobState::succeeded) {
    return "done";
  }
  return has_ended(state) ? "error" : "pending";
}

std::vector<JobState> states_of_status(std::string_view status) {
  std::vector<JobState> states;
  for (const JobState state : k_states) {
    if (task_status(state) == status) {
      states.push_back(state);
    }
  }
  if (states.empty()) {
    throw Error(ErrorCode::usage,
                fmt::format("status_filter must be pending, running, done or error, not {}",
                            printable(status)));
  }
  return states;
}

std::string task_document(const ApiContext& context,
                          sql::Database& database,
                          const QueuedJob& job) {
  const TaskEnd end = end_of(context, job);
  JsonWriter json;
  json.begin_object().key("id").string(job.id).key("type").string(job.policy.task_type);
  json.key("input").raw(input_of(context, database, job));
  json.key("status").string(task_status(job.view.state)).key("output");
  if (end.output) {
    json.string(*end.output);
  } else {
    json.null();
  }
  json.key("error");
  write_text_or_null(json, end.error);
  json.key("failure");
  write_text_or_null(json, end.failure);
  json.key("model");
  write_text_or_null(json, job.model);
  json.key("priority").number(job.view.priority).key("tags").raw(job.tags);
  json.key("project").string(job.project);
  json.key("cost_usd").string(usd_decimal(job.view.counts.cost_micro_usd));
  json.key("usage").begin_object();
  json.key("input_tokens").number(job.view.counts.input_tokens);
  json.key("output_tokens").number(job.view.counts.output_tokens).end_object();
  json.key("created_at").string(rfc3339_text(job.view.created_ms));
  json.key("updated_at").string(rfc3339_text(changed_ms(database, job)));
  return json.end_object().text();
}

}  // namespace batchllm::daemon
