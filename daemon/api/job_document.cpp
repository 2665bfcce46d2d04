// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/job_document.h"

#include "core/time_text.h"

#include <fmt/format.h>

namespace batchllm::daemon {
namespace {

constexpr std::int64_t k_micro = 1'000'000;

std::string_view condition_name(std::int64_t condition) noexcept {
  switch (static_cast<DependencyCondition>(condition)) {
    case DependencyCondition::any:
      return "any";
    case DependencyCondition::not_ok:
      return "failed";
    default:
      return "ok";
  }
}

void write_dependencies(JsonWriter& json, sql::Database& database, const std::string& id) {
  json.begin_array();
  auto query = database.prepare(
      "SELECT after_id, condition FROM job_dependencies WHERE job_id = ? ORDER BY after_id");
  query.bind_all(id);
  while (query.step()) {
    json.begin_object().key("job").string(query.text(0));
    json.key("when").string(condition_name(query.integer(1))).end_object();
  }
  json.end_array();
}

// The first by its name, and how many there are.
void write_input(JsonWriter& json, sql::Database& database, const std::string& id) {
  auto query = database.prepare(
      "SELECT name, count(*) OVER () FROM job_files JOIN files ON files.id = file_id WHERE job_id "
      "= "
      "? ORDER BY files.number LIMIT 1");
  query.bind_all(id);
  if (query.step()) {
    json.begin_object().key("name").string(query.text(0));
    json.key("count").number(query.integer(1)).end_object();
  } else {
    json.null();
  }
}

void write_counts(JsonWriter& json, const JobCounts& counts) {
  json.key("rows").begin_object().key("total");
  if (counts.rows_total) {
    json.number(*counts.rows_total);
  } else {
    json.null();
  }
  json.key("ok").number(counts.ok).key("failed").number(counts.failed);
  json.key("skipped").number(counts.skipped).key("done").number(counts.done()).end_object();
  json.key("cost_usd").string(usd_decimal(counts.cost_micro_usd)).key("usage").begin_object();
  json.key("input_tokens").number(counts.input_tokens);
  json.key("output_tokens").number(counts.output_tokens).end_object();
}

void write_amount(JsonWriter& json, std::optional<std::int64_t> micro_usd) {
  if (micro_usd) {
    json.string(usd_decimal(*micro_usd));
  } else {
    json.null();
  }
}

void write_problems(JsonWriter& json, const JobView& view) {
  if (view.question) {
    json.key("question").begin_object().key("kind").string(view.question->kind);
    json.key("text").string(view.question->text).end_object();
  }
  if (view.fault) {
    json.key("error").begin_object().key("code").string(view.fault->code);
    json.key("message").string(view.fault->message);
    if (!view.fault->hint.empty()) {
      json.key("hint").string(view.fault->hint);
    }
    json.end_object();
  }
}

}  // namespace

std::string usd_decimal(std::int64_t micro_usd) {
  const std::int64_t whole = micro_usd / k_micro;
  return fmt::format("{}.{:06}", whole, micro_usd - whole * k_micro);
}

void write_time(JsonWriter& json, std::optional<std::int64_t> time_ms) {
  if (time_ms) {
    json.string(rfc3339_text(*time_ms));
  } else {
    json.null();
  }
}

void write_text_or_null(JsonWriter& json, const std::string& text) {
  if (text.empty()) {
    json.null();
  } else {
    json.string(text);
  }
}

std::string job_document(sql::Database& database, const QueuedJob& job) {
  const JobView& view = job.view;
  JsonWriter json;
  json.begin_object().key("id").string(job.id).key("kind").string(job_kind_name(job.kind));
  json.key("name");
  write_text_or_null(json, job.name);
  json.key("input");
  write_input(json, database, job.id);
  json.key("project").string(job.project).key("state").string(job_state_name(view.state));
  json.key("reason");
  write_text_or_null(json, view.reason);
  json.key("desired").string(job_wish_name(view.wish)).key("priority").number(view.priority);
  json.key("attempt").number(view.attempt).key("crash_count").number(view.crash_count);
  json.key("exit_code");
  if (view.exit_code) {
    json.number(*view.exit_code);
  } else {
    json.null();
  }
  write_counts(json, view.counts);
  json.key("tags").raw(job.tags).key("after");
  write_dependencies(json, database, job.id);
  json.key("not_before");
  write_time(json, view.not_before_ms);
  json.key("retry_of");
  write_text_or_null(json, job.retry_of);
  json.key("schedule_id");
  write_text_or_null(json, job.schedule_id);
  json.key("model");
  write_text_or_null(json, job.model);
  json.key("output_path");
  write_text_or_null(json, job.output_path);
  json.key("max_cost_usd");
  write_amount(json, job.max_cost_micro_usd);
  write_problems(json, view);
  json.key("created_at").string(rfc3339_text(view.created_ms)).key("started_at");
  write_time(json, view.started_ms);
  json.key("finished_at");
  write_time(json, view.finished_ms);
  return json.key("last_event").number(view.last_seq).end_object().text();
}

}  // namespace batchllm::daemon
