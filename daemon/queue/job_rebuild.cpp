// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_rebuild.h"

#include "adapters/job/job_model.h"
#include "adapters/job/job_report.h"
#include "core/error.h"
#include "core/process_setup.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/job_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;
using namespace job_event;

constexpr std::string_view k_actor = "repair";
constexpr std::string_view k_reason = "repaired";
constexpr int k_rows_failed = 4;

// The shortest log that tells how the job stands; it is written at the times at which that came to
// be. The job is not in the table.
class LogWriter {
 public:
  explicit LogWriter(sql::Database& database) : transaction_(database, actions_) {}

  // `wanted`: what the events are to make of the job.
  RebuiltJob write(QueuedJob job, const JobView& wanted) {
    JobTable at_first(transaction_, hub_, wanted.created_ms);
    Queued queued;
    queued.reason = wanted.state == JobState::queued ? wanted.reason : "queue";
    queued.priority = wanted.priority;
    queued.not_before_ms = wanted.not_before_ms;
    at_first.insert(job, queued, k_actor);
    JobTable at_last(transaction_, hub_, wanted.finished_ms.value_or(wanted.created_ms));
    if (has_ended(wanted.state)) {
      end(at_last, job, wanted);
    } else if (wanted.state != JobState::queued) {
      Paused paused;
      paused.reason = k_reason;
      paused.counts = wanted.counts;
      at_last.record(job, paused, JobActor::user, k_actor);
    }
    return {job.id, job.view.state};
  }

 private:
  // No job ends that was never begun.
  static void end(JobTable& jobs, QueuedJob& job, const JobView& wanted) {
    Started started;
    started.attempt = std::max<std::int64_t>(wanted.attempt, 1);
    started.epoch = std::max<std::int64_t>(wanted.epoch, 1);
    started.worker = k_actor;
    job.owner = k_actor;
    job.lease_until_ms = jobs.now_ms();
    jobs.record(job, started, JobActor::scheduler, k_actor);
    Ended ended;
    ended.state = wanted.state;
    ended.exit_code = wanted.exit_code.value_or(0);
    ended.fault = wanted.fault;
    ended.counts = wanted.counts;
    jobs.record(job, ended, JobActor::owner, k_actor);
  }

  EventHub hub_;  // nobody watches
  std::vector<sql::Transaction::Action> actions_;
  sql::Transaction transaction_;
};

JobState ended_state(JobStatus status) noexcept {
  switch (status) {
    case JobStatus::failed:
      return JobState::failed;
    case JobStatus::partial:
      return JobState::partial;
    case JobStatus::succeeded:
      return JobState::succeeded;
    default:
      return JobState::paused;
  }
}

std::int64_t exit_code_of(const JobRecord& record) {
  if (record.status == JobStatus::failed) {
    const auto code = find_error_code(record.stop_code);
    return error_kind(code.value_or(ErrorCode::internal)).exit_code;
  }
  const bool is_failure =
      record.status == JobStatus::partial && record.settings.fail_on == FailOn::partial;
  return is_failure ? k_rows_failed : 0;
}

// As the job's own files tell it.
JobView view_of(const JobReport& report) {
  const JobRecord& record = report.record;
  const ShardTotals& totals = report.totals;
  JobView view;
  view.state = ended_state(record.status);
  view.created_ms = record.created_ms;
  view.counts.ok = static_cast<std::int64_t>(totals.ok);
  view.counts.failed = static_cast<std::int64_t>(totals.failed);
  view.counts.skipped = static_cast<std::int64_t>(totals.skipped);
  view.counts.cost_micro_usd = totals.cost_micro_usd;
  view.counts.input_tokens = totals.input_tokens;
  view.counts.output_tokens = totals.output_tokens;
  if (has_ended(view.state)) {
    view.counts.rows_total = view.counts.done();
    view.finished_ms = std::max(record.finished_ms, record.created_ms);
    view.exit_code = exit_code_of(record);
    if (record.status == JobStatus::failed) {
      view.fault = JobFault{record.stop_code, record.stop_message, ""};
    }
  }
  return view;
}

QueuedJob job_of(JobRecord record) {
  QueuedJob job;
  job.id = record.id;
  job.project = "default";
  job.tags = "{}";
  job.model = record.settings.model.model;
  std::string endpoint;
  try {
    static const JobSurroundings surroundings{ModelCatalog::built_in(), &environment_variable};
    endpoint = make_model(record.settings, surroundings, false).endpoint;
  } catch (const Error&) {
    endpoint.clear();  // it is told when the job begins
  }
  job.lane = lane_of(endpoint, record.settings);
  job.concurrency = record.settings.limits.concurrency;
  job.max_cost_micro_usd = record.settings.limits.max_cost_micro_usd;
  job.output_path = record.result_in_folder ? std::string() : record.output_path;
  job.record = job_record_json(record);
  return job;
}

// STATE/uploads/FILE_ID/NAME is a link to the content: so the file is known again.
void put_back_files(sql::Database& database, const fs::path& state_dir, const JobRecord& record) {
  for (const InputFingerprint& input : record.inputs) {
    const fs::path path(input.path);
    const fs::path folder = path.parent_path();
    std::error_code error;
    const fs::path content = fs::read_symlink(path, error);
    if (error || !input.is_stored || folder.parent_path() != state_dir / "uploads") {
      continue;
    }
    const std::string id = folder.filename().string();
    if (!read_file_row(database, id)) {
      StoredFile file;
      file.id = id;
      file.sha256 = content.filename().string();
      file.name = path.filename().string();
      file.media_type = "application/octet-stream";
      file.bytes = static_cast<std::int64_t>(input.bytes);
      file.created_ms = record.created_ms;
      insert_file(database, file);
    }
    database.run("INSERT OR IGNORE INTO job_files VALUES (?, ?)", record.id, id);
  }
}

std::optional<RebuiltJob> put_back(sql::Database& database,
                                   const fs::path& state_dir,
                                   const std::string& id) {
  const JobDirectory directory = JobDirectory::open(state_dir, id);
  if (!directory.load().queued_by_daemon) {
    return std::nullopt;
  }
  const JobReport report = report_job(directory);
  if (report.record.id != id) {
    throw Error(ErrorCode::job_corrupt, "job.json is that of another job");
  }
  database.run("DELETE FROM usage WHERE job_id = ?", id);  // counted anew
  const RebuiltJob job = LogWriter(database).write(job_of(report.record), view_of(report));
  put_back_files(database, state_dir, report.record);
  return job;
}

std::vector<std::string> ids_of(sql::Database& database, std::string_view sql) {
  std::vector<std::string> ids;
  auto query = database.prepare(sql);
  while (query.step()) {
    ids.push_back(query.string(0));
  }
  return ids;
}

// Foreign keys are off: what refers to the job stays.
RebuiltJob mend(sql::Database& database, const std::string& id) {
  const QueuedJob job = require_job(database, id);
  const std::int64_t number = job.number;
  auto usage = database.prepare("UPDATE usage SET job_id = ? WHERE job_id = ?");
  usage.bind_all("mended " + id, id).run();
  for (const char* sql : {"DELETE FROM job_events WHERE job_id = ?",
                          "DELETE FROM attempts WHERE job_id = ?",
                          "DELETE FROM jobs WHERE id = ?"}) {
    database.run(sql, id);
  }
  const RebuiltJob mended = LogWriter(database).write(job, job.view);
  database.run("DELETE FROM usage WHERE job_id = ?", id);  // it was counted before
  usage.bind_all(id, "mended " + id).run();
  database.run("UPDATE jobs SET number = ? WHERE id = ?", number, id);
  return mended;
}

}  // namespace

std::vector<RebuiltJob> mend_events(sql::Database& database) {
  std::vector<RebuiltJob> mended;
  database.execute("PRAGMA foreign_keys=OFF");
  sql::TransactionScope transaction(database, sql::TransactionScope::Kind::write);
  database.run(
      "DELETE FROM job_events WHERE seq > (SELECT last_seq FROM jobs WHERE jobs.id = job_id)");
  database.run(
      "DELETE FROM attempts WHERE epoch > (SELECT epoch FROM jobs WHERE jobs.id = job_id)");
  for (const std::string& id :
       ids_of(database,
              "SELECT id FROM jobs WHERE last_seq != (SELECT count(*) FROM job_events WHERE "
              "job_id = jobs.id)")) {
    mended.push_back(mend(database, id));
  }
  transaction.commit();
  database.execute("PRAGMA foreign_keys=ON");
  return mended;
}

std::vector<RebuiltJob> put_back_jobs(sql::Database& database,
                                      const fs::path& state_dir,
                                      std::vector<std::string>& unreadable) {
  std::vector<RebuiltJob> jobs;
  auto ids = list_job_ids(state_dir);
  std::sort(ids.begin(), ids.end());  // in the order in which they were queued, to the second
  for (const std::string& id : ids) {
    if (read_job(database, id)) {
      continue;
    }
    try {
      sql::TransactionScope transaction(database, sql::TransactionScope::Kind::write);
      if (auto job = put_back(database, state_dir, id)) {
        jobs.push_back(*std::move(job));
      }
      transaction.commit();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::job_corrupt && error.code() != ErrorCode::job_not_found) {
        throw;
      }
      unreadable.push_back(fmt::format("{}: {}", id, error.message()));
    }
  }
  return jobs;
}

}  // namespace batchllm::daemon
