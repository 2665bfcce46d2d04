// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_seed.h"
#include "core/config_keys.h"
#include "core/error.h"
#include "core/job_settings_reader.h"
#include "core/outcome.h"
#include "core/request_options.h"
#include "core/text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/job_document.h"
#include "daemon/api/job_request.h"
#include "daemon/api/request_members.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

namespace batchllm::daemon {
namespace {

struct Retry {
  std::set<std::string> only;  // names of row failures; empty: all
  Settings options;
};

// Options that change what is asked would make two jobs of one ledger.
void require_asking_option(const std::string& name) {
  const OptionKey* option = find_option("run." + name);
  if (option != nullptr && !option->commands.contains(Command::retry)) {
    throw Error(ErrorCode::usage,
                fmt::format("option {}: a retry asks what the first job asked", printable(name)),
                "only limits and keys can differ; for another question queue a new job");
  }
}

Retry read_retry(ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body, {"only", "options"});
  Retry retry;
  if (const JsonNode* only = members.find("only")) {
    if (only->items().empty()) {
      throw Error(ErrorCode::usage, "only must be an array of failures");
    }
    for (const JsonNode& item : only->items()) {
      const std::string name(item.string().value_or(""));
      const auto failure = failure_from_name(name);
      if (!failure || *failure == RowFailure::none) {
        throw Error(ErrorCode::usage,
                    fmt::format("only: there is no failure {}", printable(name)),
                    "such as rate_limited, timeout; GET …/errors lists those of the job");
      }
      retry.only.insert(name);
    }
  }
  if (const JsonNode* options = members.find("options")) {
    const auto texts = options_from_json(*options);
    for (const auto& [name, values] : texts) {
      require_asking_option(name);
    }
    retry.options = settings_from_options(texts);
  }
  return retry;
}

void require_retryable(const QueuedJob& job) {
  if (!has_ended(job.view.state) || job.view.state == JobState::succeeded) {
    throw Error(
        ErrorCode::job_conflict,
        fmt::format("{} cannot be retried: it is {}", job.id, job_state_name(job.view.state)),
        has_ended(job.view.state) ? "every row has its answer"
                                  : "wait until it has ended, or cancel it")
        .with_detail("state", std::string(job_state_name(job.view.state)));
  }
}

std::vector<std::string> files_of(sql::Database& database, const std::string& job_id) {
  std::vector<std::string> files;
  auto query = database.prepare("SELECT file_id FROM job_files WHERE job_id = ?");
  query.bind_all(job_id);
  while (query.step()) {
    files.push_back(query.string(0));
  }
  return files;
}

// The same job once more, under its new options.
Submission submission_of(const JobSurroundings& surroundings,
                         const QueuedJob& first,
                         const Retry& retry,
                         bool has_ledger) {
  Submission submission;
  QueuedJob& job = submission.job;
  job.kind = first.kind;
  job.project = first.project;
  job.name = first.name;
  job.tags = first.tags;
  job.retry_of = first.id;
  job.policy = first.policy;
  job.policy.wants_approval = false;
  job.policy.retries_failed = has_ledger;
  job.policy.retry_only = retry.only;
  submission.priority = first.view.priority;
  JobRecord record = parse_job_record(first.record, first.id);
  apply_asking_options(retry.options, record.settings);
  if (record.settings.output.conflict == OutputConflict::refuse) {
    // What lies at an explicit path is the first job's result.
    record.settings.output.conflict = OutputConflict::overwrite;
  }
  describe_job(surroundings, job, record);
  return submission;
}

}  // namespace

HttpResponse retry_one_job(ApiContext& context, ApiCall& call) {
  refuse_while_draining(context);
  const Retry retry = read_retry(call);
  if (auto again = answer_again(context, call, call.body_text())) {
    return *std::move(again);
  }
  const std::string& id = call.parts.at(0);
  const QueuedJob first = context.store.read([&](sql::Database& database) {
    QueuedJob job = require_job(database, id);
    require_retryable(job);
    return job;
  });
  JobSeed seed(context.state_dir, first.id);
  Submission submission = submission_of(context.surroundings, first, retry, seed.has_files());
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    require_retryable(require_job(jobs.database(), id));
    submission.file_ids = files_of(jobs.database(), id);
    const QueuedJob job = submit_job(jobs, submission, call.actor);
    PostAnswer answer{201, job_document(jobs.database(), job), "/api/v1/jobs/" + job.id};
    if (seed.has_files()) {
      JobRecord record = parse_job_record(job.record, job.id);
      record.id = job.id;
      record.created_ms = job.view.created_ms;
      record.status = JobStatus::interrupted;
      // Before the commit: a job without its ledger would ask, and pay for, everything again.
      seed.adopt(record);
    }
    return answer;
  });
  context.scheduler.wake();
  return response;
}

}  // namespace batchllm::daemon
