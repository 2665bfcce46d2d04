// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_table.h"

#include "core/crash_point.h"
#include "core/error.h"
#include "core/job_id.h"
#include "core/json_document.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <memory>
#include <random>
#include <utility>

namespace batchllm::daemon {
namespace {

// In the order that `job_of` reads them.
constexpr std::string_view k_columns =
    "number, id, kind, project, state, held, reason, wish, priority, attempt, crash_count, epoch, "
    "not_before, owner, lease_until, last_seq, rows_total, ok, failed, skipped, cost_micro_usd, "
    "input_tokens, output_tokens, exit_code, fault, question, name, tags, model, lane, "
    "concurrency, max_cost, output_path, policy, retry_of, schedule_id, created_at, started_at, "
    "finished_at, record";

// A step of priority is worth this long a wait: priorities age, as who waits longer has an earlier
// key, and the order of two jobs never changes, as both age alike.
constexpr std::int64_t k_wait_worth_a_priority_ms = 5 * 60 * 1000;

constexpr std::int64_t k_ms_per_day = 86'400'000;

// The columns of one row, one after another.
class Columns {
 public:
  explicit Columns(sql::Statement& row) : row_(row) {}

  std::int64_t integer() { return row_.integer(next_++); }

  std::optional<std::int64_t> optional_integer() { return row_.optional_integer(next_++); }

  std::string text() { return std::string(row_.text(next_++)); }

  std::optional<std::string> optional_text() {
    const int column = next_++;
    return row_.is_null(column) ? std::nullopt : std::optional(std::string(row_.text(column)));
  }

  bool flag() { return integer() != 0; }

 private:
  sql::Statement& row_;
  int next_ = 0;
};

std::string text_member(const JsonNode& object, std::string_view name) {
  return std::string(object.find_string(name).value_or(""));
}

std::optional<JobFault> fault_of(const std::optional<std::string>& json) {
  const auto document = json ? parse_json_document(*json) : Result<JsonNode>(JsonNode());
  if (!json || !document) {
    return std::nullopt;
  }
  return JobFault{text_member(*document, "code"),
                  text_member(*document, "message"),
                  text_member(*document, "hint")};
}

std::optional<JobQuestion> question_of(const std::optional<std::string>& json) {
  const auto document = json ? parse_json_document(*json) : Result<JsonNode>(JsonNode());
  if (!json || !document) {
    return std::nullopt;
  }
  return JobQuestion{text_member(*document, "kind"), text_member(*document, "text")};
}

std::optional<std::string> fault_json(const std::optional<JobFault>& fault) {
  if (!fault) {
    return std::nullopt;
  }
  JsonWriter json;
  json.begin_object().key("code").string(fault->code).key("message").string(fault->message);
  return json.key("hint").string(fault->hint).end_object().text();
}

std::optional<std::string> question_json(const std::optional<JobQuestion>& question) {
  if (!question) {
    return std::nullopt;
  }
  JsonWriter json;
  json.begin_object().key("kind").string(question->kind).key("text").string(question->text);
  return json.end_object().text();
}

QueuedJob job_of(sql::Statement& row) {
  Columns columns(row);
  QueuedJob job;
  JobView& view = job.view;
  job.number = columns.integer();
  job.id = columns.text();
  job.kind = static_cast<JobKind>(columns.integer());
  job.project = columns.text();
  view.state = static_cast<JobState>(columns.integer());
  job.is_held = columns.flag();
  view.reason = columns.text();
  view.wish = static_cast<JobWish>(columns.integer());
  view.priority = columns.integer();
  view.attempt = columns.integer();
  view.crash_count = columns.integer();
  view.epoch = columns.integer();
  view.not_before_ms = columns.optional_integer();
  job.owner = columns.optional_text().value_or("");
  job.lease_until_ms = columns.optional_integer();
  view.last_seq = columns.integer();
  view.counts.rows_total = columns.optional_integer();
  view.counts.ok = columns.integer();
  view.counts.failed = columns.integer();
  view.counts.skipped = columns.integer();
  view.counts.cost_micro_usd = columns.integer();
  view.counts.input_tokens = columns.integer();
  view.counts.output_tokens = columns.integer();
  view.exit_code = columns.optional_integer();
  view.fault = fault_of(columns.optional_text());
  view.question = question_of(columns.optional_text());
  job.name = columns.text();
  job.tags = columns.text();
  job.model = columns.text();
  job.lane = columns.text();
  job.concurrency = columns.integer();
  job.max_cost_micro_usd = columns.optional_integer();
  job.output_path = columns.text();
  job.policy = parse_job_policy(columns.text());
  job.retry_of = columns.optional_text().value_or("");
  job.schedule_id = columns.optional_text().value_or("");
  view.created_ms = columns.integer();
  view.started_ms = columns.optional_integer();
  view.finished_ms = columns.optional_integer();
  job.record = columns.text();
  return job;
}

std::optional<std::string_view> if_any(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

std::int64_t claim_key(const QueuedJob& job) {
  return job.view.created_ms - job.view.priority * k_wait_worth_a_priority_ms;
}

bool id_is_taken(sql::Database& database, const std::string& id) {
  auto query = database.prepare("SELECT 1 FROM jobs WHERE id = ?");
  query.bind_all(id);
  return query.step();
}

std::uint64_t random_number() {
  static thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator();
}

struct CrashPoints {
  CrashPoint written;
  CrashPoint committed;
};

std::optional<CrashPoints> crash_points_of(const JobEvent& event) noexcept {
  using enum CrashPoint;
  if (event.seq == 1) {
    return CrashPoints{submit_written, submit_committed};
  }
  if (std::holds_alternative<job_event::Started>(event.data)) {
    return CrashPoints{claim_written, claim_committed};
  }
  if (std::holds_alternative<job_event::Progress>(event.data)) {
    return CrashPoints{progress_written, progress_committed};
  }
  if (std::holds_alternative<job_event::Ended>(event.data)) {
    return CrashPoints{end_written, end_committed};
  }
  if (std::holds_alternative<job_event::Interrupted>(event.data)) {
    return CrashPoints{rescue_written, rescue_committed};
  }
  return std::nullopt;
}

// What is written of the job beside what its events tell.
std::int64_t number_of(JobState state) {
  return static_cast<std::int64_t>(state);
}

}  // namespace

std::optional<QueuedJob> read_job(sql::Database& database, std::string_view id) {
  auto jobs = read_jobs(database, "WHERE id = ?", {std::string(id)});
  return jobs.empty() ? std::nullopt : std::optional(std::move(jobs.front()));
}

QueuedJob require_job(sql::Database& database, std::string_view id) {
  auto job = read_job(database, id);
  if (!job) {
    throw Error(ErrorCode::job_not_found,
                fmt::format("there is no job {}", printable(id)),
                "batchllm jobs list shows all jobs");
  }
  return *std::move(job);
}

std::vector<QueuedJob> read_jobs(sql::Database& database,
                                 std::string_view rest,
                                 const std::vector<QueryValue>& values) {
  auto query = database.prepare(fmt::format("SELECT {} FROM jobs {}", k_columns, rest));
  int position = 1;
  for (const QueryValue& value : values) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      query.bind(position, *number);
    } else {
      query.bind(position, std::string_view(std::get<std::string>(value)));
    }
    ++position;
  }
  std::vector<QueuedJob> jobs;
  while (query.step()) {
    jobs.push_back(job_of(query));
  }
  return jobs;
}

void JobTable::insert(QueuedJob& job, const JobEventData& first, std::string_view actor) {
  while (job.id.empty() || id_is_taken(database(), job.id)) {
    job.id = make_job_id(now_ms_, random_number());
  }
  const JobEvent event{1, now_ms_, std::string(actor), first};
  job.view = JobView{};
  apply(job.view, event);
  const JobView& view = job.view;
  auto insertion = database().prepare(
      "INSERT INTO jobs (id, kind, project, state, held, claim_key, reason, wish, priority, "
      "attempt, crash_count, epoch, not_before, last_seq, ok, failed, skipped, cost_micro_usd, "
      "input_tokens, output_tokens, name, tags, model, lane, concurrency, max_cost, output_path, "
      "policy, retry_of, schedule_id, fire_at, created_at, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insertion.bind_all(job.id,
                     static_cast<std::int64_t>(job.kind),
                     job.project,
                     number_of(view.state),
                     std::int64_t{job.is_held},
                     claim_key(job),
                     view.reason,
                     static_cast<std::int64_t>(view.wish),
                     view.priority,
                     view.attempt,
                     view.crash_count,
                     view.epoch,
                     view.not_before_ms,
                     view.last_seq,
                     job.name,
                     job.tags,
                     job.model,
                     job.lane,
                     job.concurrency,
                     job.max_cost_micro_usd,
                     job.output_path,
                     job_policy_json(job.policy),
                     if_any(job.retry_of),
                     if_any(job.schedule_id),
                     job.fire_at_ms,
                     view.created_ms,
                     job.record);
  insertion.run();
  job.number = database().last_insert_id();
  append_event(job, event);
}

void JobTable::describe(const QueuedJob& job) {
  database().run(
      "UPDATE jobs SET name = ?, tags = ?, max_cost = ?, policy = ?, record = ? WHERE number = ?",
      job.name,
      job.tags,
      job.max_cost_micro_usd,
      job_policy_json(job.policy),
      job.record,
      job.number);
}

void JobTable::record(QueuedJob& job,
                      const JobEventData& data,
                      JobActor who,
                      std::string_view actor) {
  const JobView before = job.view;
  const JobEvent event{before.last_seq + 1, now_ms_, std::string(actor), data};
  apply(job.view, event);
  const JobView& view = job.view;
  if (view.state != before.state && !may_move(before.state, view.state, who)) {
    throw Error(ErrorCode::job_conflict,
                fmt::format("{} is {}: it cannot become {}",
                            job.id,
                            job_state_name(before.state),
                            job_state_name(view.state)));
  }
  if (view.state != JobState::running) {
    job.owner.clear();
    job.lease_until_ms.reset();
  }
  auto update = database().prepare(
      "UPDATE jobs SET state = ?, held = ?, claim_key = ?, reason = ?, wish = ?, priority = ?, "
      "attempt = ?, crash_count = ?, epoch = ?, not_before = ?, owner = ?, lease_until = ?, "
      "last_seq = ?, rows_total = ?, ok = ?, failed = ?, skipped = ?, cost_micro_usd = ?, "
      "input_tokens = ?, output_tokens = ?, exit_code = ?, fault = ?, question = ?, started_at = "
      "?, "
      "finished_at = ? WHERE number = ? AND last_seq = ?");
  update.bind_all(number_of(view.state),
                  std::int64_t{job.is_held},
                  claim_key(job),
                  view.reason,
                  static_cast<std::int64_t>(view.wish),
                  view.priority,
                  view.attempt,
                  view.crash_count,
                  view.epoch,
                  view.not_before_ms,
                  if_any(job.owner),
                  job.lease_until_ms,
                  view.last_seq,
                  view.counts.rows_total,
                  view.counts.ok,
                  view.counts.failed,
                  view.counts.skipped,
                  view.counts.cost_micro_usd,
                  view.counts.input_tokens,
                  view.counts.output_tokens,
                  view.exit_code,
                  fault_json(view.fault),
                  question_json(view.question),
                  view.started_ms,
                  view.finished_ms,
                  job.number,
                  before.last_seq);
  update.run();
  if (database().changes() != 1) {
    throw Error(ErrorCode::job_conflict,
                fmt::format("{} has changed meanwhile", job.id),
                "look at it again: batchllm jobs show " + job.id);
  }
  append_event(job, event);
  if (!(view.counts == before.counts)) {
    add_usage(job, before.counts);
  }
}

void JobTable::append_event(const QueuedJob& job, const JobEvent& event) {
  const std::string_view type = job_event_type(event.data);
  std::string data = job_event_json(event.data);
  auto insertion = database().prepare(
      "INSERT INTO job_events (job_id, seq, at, type, version, actor, data) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  insertion.bind_all(
      job.id, event.seq, event.at_ms, type, std::int64_t{k_job_event_version}, event.actor, data);
  insertion.run();
  const auto points = crash_points_of(event);
  if (points) {
    crash_point(points->written);
  }
  // Whether anybody watches is asked after the commit: who begins to watch before it finds the
  // event here, who begins after it finds it in the database.
  transaction_.after_commit([&hub = hub_,
                             id = job.id,
                             seq = event.seq,
                             at_ms = event.at_ms,
                             type,
                             actor = event.actor,
                             data = std::move(data),
                             points] {
    if (points) {
      crash_point(points->committed);
    }
    if (hub.is_watched(id)) {
      hub.publish(id,
                  seq,
                  std::make_shared<const std::string>(
                      job_event_document(seq, at_ms, type, k_job_event_version, actor, data)));
    }
  });
}

void JobTable::add_usage(const QueuedJob& job, const JobCounts& before) {
  const JobCounts& now = job.view.counts;
  auto insertion = database().prepare(
      "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
      "rows = rows + excluded.rows, failed = failed + excluded.failed, "
      "cost_micro_usd = cost_micro_usd + excluded.cost_micro_usd, "
      "input_tokens = input_tokens + excluded.input_tokens, "
      "output_tokens = output_tokens + excluded.output_tokens");
  insertion.bind_all(now_ms_ / k_ms_per_day,
                     job.project,
                     job.model,
                     job.id,
                     now.done() - before.done(),
                     now.failed - before.failed,
                     now.cost_micro_usd - before.cost_micro_usd,
                     now.input_tokens - before.input_tokens,
                     now.output_tokens - before.output_tokens);
  insertion.run();
}

}  // namespace batchllm::daemon
