// SPDX-License-Identifier: Apache-2.0
#include "cli/run_command.h"

#include "adapters/job/input_check.h"
#include "adapters/job/job_encoder.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/job_model.h"
#include "adapters/job/job_output.h"
#include "adapters/job/job_report.h"
#include "adapters/job/job_steps.h"
#include "cli/answer_reports.h"
#include "cli/dry_run.h"
#include "cli/job_places.h"
#include "cli/job_preparation.h"
#include "cli/job_runner.h"
#include "cli/run_summary.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/job_directory.h"
#include "core/job_id.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

bool is_unfinished(const JobRecord& record) {
  return record.status == JobStatus::running || record.status == JobStatus::interrupted ||
         record.status == JobStatus::failed;
}

std::optional<JobRecord> load_quietly(const JobDirectory& directory) {
  try {
    return directory.load();
  } catch (const Error&) {
    return std::nullopt;  // another program's version, or half made: not ours to go on with
  }
}

// The unfinished job that the same command began, if there is one.
std::optional<std::string> find_unfinished(const std::string& state_dir,
                                           const std::string& identity) {
  for (const auto& id : list_job_ids(state_dir)) {
    const auto record = load_quietly(JobDirectory::open(state_dir, id));
    if (record && record->identity == identity && is_unfinished(*record)) {
      return id;
    }
  }
  return std::nullopt;
}

// A pipe cannot be told from another one: its jobs are taken up by `resume` alone.
bool can_be_recognised(const JobRecord& record) {
  return std::none_of(record.inputs.begin(),
                      record.inputs.end(),
                      [](const InputFingerprint& input) { return input.from_stdin; });
}

// True when something was sent.
bool has_ledger(const JobDirectory& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory.folder(), error)) {
    if (entry.path().filename().string().starts_with("ledger-") && entry.file_size(error) != 0) {
      return true;
    }
  }
  return false;
}

// A finished job whose result is there: nothing is to be asked or written.
std::optional<int> say_if_done(const JobDirectory& directory, const JobRecord& record, Ui& ui) {
  std::error_code error;
  if (is_unfinished(record) || record.output_path == "-" ||
      !fs::exists(record.output_path, error) ||
      record.settings.output.conflict == OutputConflict::overwrite) {
    return std::nullopt;
  }
  const JobReport report = report_job(directory);
  JobEnd end;
  EngineResult& result = end.result;
  result.progress.ok = report.totals.ok;
  result.progress.failed = report.totals.failed;
  result.progress.skipped = report.totals.skipped;
  result.progress.done = report.totals.done();
  result.progress.already_done = result.progress.done;
  result.progress.total = result.progress.done;
  result.progress.total_is_exact = true;
  result.progress.cost_is_known = report.totals.cost_micro_usd != 0;
  result.progress.cost_micro_usd = report.totals.cost_micro_usd;
  result.progress.input_tokens = report.totals.input_tokens;
  result.progress.output_tokens = report.totals.output_tokens;
  result.bad_rows = report.rejected;
  const bool fails =
      record.status == JobStatus::partial && record.settings.fail_on == FailOn::partial;
  end.exit_code = fails ? error_kind(ErrorCode::rows_failed).exit_code : 0;
  end.output_path = record.output_path;
  report_already_done(record, end, answer_reports_of(record, directory.folder(), ui), ui);
  return end.exit_code;
}

// The answers that a job which was killed may have are looked at before anything is sent.
int go_on(const std::string& state_dir,
          const std::string& id,
          const JobOverrides& overrides,
          const JobStart& start,
          const JobSurroundings& surroundings,
          Ui& ui) {
  JobDirectory directory = JobDirectory::open(state_dir, id);
  directory.lock();
  JobRecord record = directory.load();
  overrides.apply_to(record.settings);
  if (start.retries_failed) {
    record.settings.output.conflict = OutputConflict::overwrite;
  } else if (const auto code = say_if_done(directory, record, ui)) {
    return *code;
  }
  check_inputs_unchanged(directory, record);
  return run_and_report(directory, record, start, surroundings, ui);
}

}  // namespace

int run_command(RunRequest request, const JobSurroundings& surroundings, Ui& ui) {
  JobRecord record = make_job_record(request);
  name_models(record, surroundings.models);
  if (request.dry_run || request.show_prompts) {
    return dry_run(record, request, surroundings, ui);
  }
  // Everything that can be wrong is found before a job is made of it: columns, template, key,
  // output.
  {
    JobInputs inputs(record, "");
    const JobModel model = make_model(record.settings, surroundings, false);
    static_cast<void>(model.provider->endpoint());  // the address can be read
    if (can_be_recognised(record)) {
      const auto source = inputs.open_first();
      make_encoder(record, *source, model);
      JobSteps::open(record, *source, model, surroundings, false);
      record.output_path = plan_output(record, *source).path;
    } else if (!record.settings.output.path.empty()) {
      record.output_path =
          record.settings.output.path == "-"
              ? "-"
              : fs::absolute(record.settings.output.path).lexically_normal().string();
    }
  }
  make_model(record.settings, surroundings, true);
  record.identity = job_identity(record);
  const std::string state_dir = ui.state_dir();
  if (can_be_recognised(record) && !request.new_job) {
    if (const auto id = find_unfinished(state_dir, record.identity)) {
      ui.messages().note(fmt::format(
          "Going on with {}, which this command began (--new-job starts afresh).", *id));
      JobDirectory directory = JobDirectory::open(state_dir, *id);
      directory.lock();
      JobRecord earlier = directory.load();
      check_inputs_unchanged(directory, earlier);
      const auto created = earlier.created_ms;
      earlier.settings = record.settings;
      earlier.created_ms = created;
      check_output_is_free(earlier);
      return run_and_report(directory, earlier, {}, surroundings, ui);
    }
  }
  check_output_is_free(record);
  const SystemClock clock;
  std::random_device random;
  record.created_ms = clock.wall_ms();
  record.id = make_job_id(record.created_ms, random());
  JobDirectory directory = JobDirectory::create(state_dir, record);
  JobStart start;
  start.is_new = true;
  try {
    const int code = run_and_report(directory, record, start, surroundings, ui);
    if (code == error_kind(ErrorCode::bad_row).exit_code && !has_ledger(directory)) {
      directory.remove();  // a bad row among the first: the corrected file is another job's
    }
    return code;
  } catch (const Error&) {
    // It never began: nothing was asked, nothing is to be gone on with.
    if (record.status == JobStatus::running && !has_ledger(directory)) {
      directory.remove();
    }
    throw;
  }
}

int resume_command(const ResumeRequest& request, const JobSurroundings& surroundings, Ui& ui) {
  const std::string state_dir = ui.state_dir();
  std::string id = request.job;
  if (id.empty()) {
    for (const auto& candidate : list_job_ids(state_dir)) {
      const JobDirectory directory = JobDirectory::open(state_dir, candidate);
      const auto record = load_quietly(directory);
      if (record && is_unfinished(*record) && !is_the_daemons(*record) && !directory.is_locked()) {
        id = candidate;
        break;
      }
    }
    if (id.empty()) {
      throw Error(ErrorCode::job_not_found,
                  "there is no unfinished job",
                  "batchllm jobs list shows all jobs");
    }
  }
  return go_on(state_dir, id, request.overrides, {}, surroundings, ui);
}

int retry_command(const RetryRequest& request, const JobSurroundings& surroundings, Ui& ui) {
  JobStart start;
  start.retries_failed = true;
  start.retry_only = {request.only.begin(), request.only.end()};
  return go_on(ui.state_dir(), request.job, request.overrides, start, surroundings, ui);
}

}  // namespace batchllm
