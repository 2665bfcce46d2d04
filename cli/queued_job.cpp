// SPDX-License-Identifier: Apache-2.0
#include "cli/queued_job.h"

#include "adapters/job/job_report.h"
#include "core/config_keys.h"
#include "core/error.h"
#include "core/job_state.h"
#include "core/json_text.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace batchllm {
namespace {

constexpr std::string_view k_waiting_on = "waiting_on:";

// Members of one object, what is missing or of another kind left empty.
class Members {
 public:
  explicit Members(const JsonNode* object) : object_(object) {}

  std::string text(std::string_view key) const {
    return object_ == nullptr ? std::string() : std::string(object_->find_string(key).value_or(""));
  }

  std::optional<std::int64_t> integer(std::string_view key) const {
    const JsonNode* found = find(key);
    return found == nullptr ? std::nullopt : found->integer();
  }

  std::uint64_t count(std::string_view key) const {
    const JsonNode* found = find(key);
    return found == nullptr ? 0 : found->unsigned_integer().value_or(0);
  }

  std::optional<std::int64_t> time_ms(std::string_view key) const {
    const auto time = parse_rfc3339(text(key));
    return time ? std::optional(*time) : std::nullopt;
  }

  Members object(std::string_view key) const { return Members(find(key)); }

 private:
  const JsonNode* find(std::string_view key) const {
    return object_ == nullptr ? nullptr : object_->find(key);
  }

  const JsonNode* object_;
};

int exit_code_of_error(const std::string& name) {
  const auto code = find_error_code(name);
  return error_kind(code.value_or(ErrorCode::internal)).exit_code;
}

// What pauses a job is told by its reason: the fault is there for most.
int exit_code_when_paused(const DaemonJob& job) {
  if (job.reason == "cost_limit") {
    return error_kind(ErrorCode::cost_limit).exit_code;
  }
  if (job.reason == "disk_full") {
    return error_kind(ErrorCode::storage_full).exit_code;
  }
  return exit_code_of_error(job.error_code);
}

std::string queued_text(const DaemonJob& job) {
  if (job.reason.starts_with(k_waiting_on)) {
    return "waits for " + printable(job.reason.substr(k_waiting_on.size()));
  }
  if (job.not_before_ms && job.reason == "not_before") {
    return "begins at " + local_time_text(*job.not_before_ms);
  }
  if (job.reason.empty() || job.reason == "queue") {
    return "waits for its turn";
  }
  const std::string again =
      job.not_before_ms ? " at " + local_time_text(*job.not_before_ms) : std::string();
  return fmt::format("tried again{} after {}", again, printable(job.reason));
}

std::string paused_text(const DaemonJob& job) {
  if (job.reason == "user") {
    return "paused by a person; batchllm jobs resume goes on";
  }
  if (job.reason == "cost_limit") {
    return "paused by its cost limit; batchllm jobs resume --max-cost USD goes on";
  }
  if (job.reason == "disk_full") {
    return "paused: the disk is full; goes on when there is room";
  }
  return "paused: " + printable(job.reason);
}

std::string line(std::string_view name, const std::string& value) {
  return value.empty() ? std::string() : fmt::format("  {:<8} {}\n", name, printable(value));
}

std::string tags_text(const JsonNode& document) {
  std::string text;
  if (const JsonNode* tags = document.find("tags")) {
    for (const JsonMember& tag : tags->members()) {
      text += fmt::format(
          "{}{}={}", text.empty() ? "" : ", ", tag.key, tag.value.string().value_or(""));
    }
  }
  return text;
}

std::string after_text(const JsonNode& document) {
  std::string text;
  if (const JsonNode* after = document.find("after")) {
    for (const JsonNode& one : after->items()) {
      text += fmt::format("{}{} ({})",
                          text.empty() ? "" : ", ",
                          one.find_string("job").value_or(""),
                          one.find_string("when").value_or("ok"));
    }
  }
  return text;
}

std::string rows_text(const DaemonJob& job) {
  return fmt::format("{} ok, {} failed, {} skipped{}",
                     with_thousands(job.ok),
                     with_thousands(job.failed),
                     with_thousands(job.skipped),
                     job.rows_total ? fmt::format(" of {}", with_thousands(*job.rows_total)) : "");
}

void write_member(JsonWriter& json, const DaemonJob& job, std::string_view key) {
  const JsonNode* found = job.document.find(key);
  json.key(key).raw(found == nullptr ? "null" : found->to_json());
}

double in_usd(std::int64_t micro_usd) {
  constexpr double k_micro = 1e6;
  return static_cast<double>(micro_usd) / k_micro;
}

}  // namespace

DaemonJob read_daemon_job(JsonNode document) {
  const Members members(&document);
  DaemonJob job;
  job.id = members.text("id");
  job.kind = members.text("kind");
  job.name = members.text("name");
  job.input = members.object("input").text("name");
  job.input_count = members.object("input").count("count");
  job.project = members.text("project");
  job.state = members.text("state");
  job.reason = members.text("reason");
  job.desired = members.text("desired");
  job.model = members.text("model");
  job.output_path = members.text("output_path");
  job.retry_of = members.text("retry_of");
  job.priority = members.integer("priority").value_or(0);
  job.attempt = members.integer("attempt").value_or(0);
  job.crash_count = members.integer("crash_count").value_or(0);
  if (const auto code = members.integer("exit_code")) {
    job.exit_code = static_cast<int>(*code);
  }
  const Members rows = members.object("rows");
  if (const auto total = rows.integer("total")) {
    job.rows_total = static_cast<std::uint64_t>(*total);
  }
  job.ok = rows.count("ok");
  job.failed = rows.count("failed");
  job.skipped = rows.count("skipped");
  job.cost_micro_usd = parse_usd(members.text("cost_usd")).value_or(0);
  job.input_tokens = members.object("usage").integer("input_tokens").value_or(0);
  job.output_tokens = members.object("usage").integer("output_tokens").value_or(0);
  job.not_before_ms = members.time_ms("not_before");
  job.created_ms = members.time_ms("created_at").value_or(0);
  job.started_ms = members.time_ms("started_at");
  job.finished_ms = members.time_ms("finished_at");
  job.question = members.object("question").text("text");
  job.question_kind = members.object("question").text("kind");
  job.error_code = members.object("error").text("code");
  job.error_message = members.object("error").text("message");
  job.error_hint = members.object("error").text("hint");
  job.last_event = std::to_string(members.integer("last_event").value_or(0));
  job.document = std::move(document);
  return job;
}

std::string inputs_text(std::string_view first, std::size_t count) {
  return count <= 1 ? std::string(first) : fmt::format("{} and {} more", first, count - 1);
}

bool has_ended(const DaemonJob& job) {
  const auto state = job_state_from_name(job.state);
  return state && has_ended(*state);
}

std::optional<int> settled_exit_code(const DaemonJob& job) {
  if (has_ended(job)) {
    const int otherwise = job.state == "succeeded"   ? 0
                          : job.state == "partial"   ? error_kind(ErrorCode::rows_failed).exit_code
                          : job.state == "cancelled" ? error_kind(ErrorCode::interrupted).exit_code
                                                     : exit_code_of_error(job.error_code);
    return job.exit_code.value_or(otherwise);
  }
  if (job.state == "waiting_input") {
    return error_kind(ErrorCode::declined).exit_code;
  }
  if (job.state == "paused" && job.reason != "user") {
    return exit_code_when_paused(job);
  }
  return std::nullopt;
}

std::string reason_text(const DaemonJob& job) {
  if (job.state == "queued") {
    return queued_text(job);
  }
  if (job.state == "paused") {
    return paused_text(job);
  }
  if (job.state == "waiting_input") {
    return "asks: " + printable(job.question);
  }
  if (job.state == "interrupted") {
    return "its worker is gone; goes back to the queue by itself";
  }
  if (job.state == "running" && job.desired == "cancel") {
    return "is being cancelled";
  }
  if (job.state == "running" && job.desired == "pause") {
    return "is being paused";
  }
  return job.error_message.empty() ? std::string() : printable(job.error_message);
}

std::string daemon_job_text(const DaemonJob& job) {
  std::string text = fmt::format("{}  {}\n", job.id, job.state);
  text += line("name", job.name);
  text += line("why", reason_text(job));
  if (!job.error_message.empty() && !has_ended(job)) {
    text += line("stopped", fmt::format("{}: {}", job.error_code, job.error_message));
  }
  text += line("hint", job.error_hint);
  if (!job.question.empty()) {
    text += line("answer", fmt::format("batchllm jobs answer {} ANSWER", job.id));
  }
  text += line("input", inputs_text(job.input, job.input_count));
  text += line("model", job.model);
  text += line("output", job.output_path.empty() ? "in the job's folder" : job.output_path);
  text += line("project", job.project);
  text += line("tags", tags_text(job.document));
  text += line("after", after_text(job.document));
  text += line("retry of", job.retry_of);
  text += line("queued", local_time_text(job.created_ms));
  if (job.started_ms) {
    text += line("begun", local_time_text(*job.started_ms));
  }
  if (job.finished_ms) {
    text += line("ended", local_time_text(*job.finished_ms));
  }
  text += line(
      "attempts",
      fmt::format(
          "{}{}",
          job.attempt,
          job.crash_count > 1 ? fmt::format(", its worker died {} times", job.crash_count) : ""));
  text += line("priority", std::to_string(job.priority));
  text += line("rows", rows_text(job));
  text += line("tokens",
               fmt::format("{} in, {} out",
                           with_thousands(static_cast<std::uint64_t>(job.input_tokens)),
                           with_thousands(static_cast<std::uint64_t>(job.output_tokens))));
  return text + line("cost", usd_text(job.cost_micro_usd));
}

std::string daemon_job_json(const DaemonJob& job) {
  JsonWriter json;
  json.begin_object().key("id").string(job.id).key("status").string(job.state);
  json.key("created_ms").number(job.created_ms).key("finished_ms");
  job.finished_ms ? json.number(*job.finished_ms) : json.null();
  json.key("model").string(job.model).key("output").string(job.output_path);
  json.key("rows").begin_object().key("total");
  job.rows_total ? json.number(*job.rows_total) : json.null();
  json.key("ok").number(job.ok).key("failed").number(job.failed);
  json.key("skipped").number(job.skipped).end_object();
  json.key("cost_usd").decimal(in_usd(job.cost_micro_usd), 6);
  json.key("tokens").begin_object().key("input").number(job.input_tokens);
  json.key("output").number(job.output_tokens).end_object();
  json.key("daemon").boolean(true).key("state").string(job.state);
  for (const auto* key : {"reason",
                          "kind",
                          "name",
                          "input",
                          "project",
                          "tags",
                          "after",
                          "not_before",
                          "priority",
                          "attempt",
                          "crash_count",
                          "exit_code",
                          "retry_of"}) {
    write_member(json, job, key);
  }
  if (!job.question.empty()) {
    write_member(json, job, "question");
  }
  if (!job.error_code.empty()) {
    json.key("stopped_by").string(job.error_code).key("stop_message").string(job.error_message);
  }
  return json.end_object().text();
}

}  // namespace batchllm
