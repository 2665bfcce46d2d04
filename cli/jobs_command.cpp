// SPDX-License-Identifier: Apache-2.0
#include "cli/jobs_command.h"

#include "adapters/job/job_report.h"
#include "cli/results_command.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

namespace batchllm {
namespace {

// Every job that can be read, newest first; of the others a warning says why.
std::vector<JobReport> all_jobs(Ui& ui, const std::string& status, std::uint64_t limit) {
  std::vector<JobReport> jobs;
  const std::string state_dir = ui.state_dir();
  for (const auto& id : list_job_ids(state_dir)) {
    try {
      JobReport report = report_job(JobDirectory::open(state_dir, id));
      if (status.empty() || report.status() == status) {
        jobs.push_back(std::move(report));
      }
    } catch (const Error& error) {
      ui.messages().warning(fmt::format("{}: {}", id, error.message()));
    }
    if (limit != 0 && jobs.size() >= limit) {
      break;
    }
  }
  return jobs;
}

std::string input_text(const JobRecord& record) {
  if (record.inputs.empty()) {
    return "";
  }
  const std::string first =
      record.inputs.front().from_stdin
          ? "standard input"
          : std::filesystem::path(record.inputs.front().path).filename().string();
  return record.inputs.size() == 1 ? first
                                   : fmt::format("{} and {} more", first, record.inputs.size() - 1);
}

std::string jobs_json(const std::vector<JobReport>& jobs) {
  std::string text = R"({"schema":"batchllm.jobs/1","jobs":[)";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    text += (i == 0 ? "" : ",") + job_report_json(jobs[i]);
  }
  return text + "]}\n";
}

int remove_jobs(std::vector<JobDirectory>& directories, Ui& ui) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.removed/1").key("jobs").begin_array();
  for (JobDirectory& directory : directories) {
    const std::string id = directory.folder().filename().string();
    directory.remove();
    json.string(id);
    ui.messages().note(fmt::format("Deleted {}", id));
  }
  if (ui.json()) {
    ui.out(json.end_array().end_object().text() + "\n");
  }
  return 0;
}

}  // namespace

int jobs_list_command(const JobsListRequest& request, Ui& ui) {
  const std::vector<JobReport> jobs = all_jobs(ui, request.status, request.limit);
  if (ui.json()) {
    ui.out(jobs_json(jobs));
    return 0;
  }
  if (jobs.empty()) {
    ui.messages().note(
        "There are no jobs yet. Begin one with: batchllm run FILE --prompt TEXT --model "
        "PROVIDER/NAME");
    return 0;
  }
  std::string text = fmt::format("{:<26} {:<12} {:>10} {:>8} {:>10}  {:<16}  {}\n",
                                 "JOB",
                                 "STATUS",
                                 "OK",
                                 "FAILED",
                                 "COST",
                                 "BEGUN",
                                 "INPUT");
  for (const JobReport& job : jobs) {
    text += fmt::format("{:<26} {:<12} {:>10} {:>8} {:>10}  {:<16}  {}\n",
                        job.record.id,
                        job.status(),
                        with_thousands(job.totals.ok),
                        with_thousands(job.totals.failed),
                        usd_text(job.totals.cost_micro_usd),
                        local_time_text(job.record.created_ms),
                        one_line(input_text(job.record), 40));
  }
  ui.out(text);
  return 0;
}

int jobs_show_command(const JobsShowRequest& request, Ui& ui) {
  return results_show_command({request.job}, ui);
}

int jobs_remove_command(const JobsRemoveRequest& request, Ui& ui) {
  std::vector<JobDirectory> directories;
  for (const auto& id : request.jobs) {
    directories.push_back(JobDirectory::open(ui.state_dir(), id));
    directories.back().lock();
  }
  ui.confirm(fmt::format(
      "Delete {} with everything that was answered?",
      request.jobs.size() == 1 ? request.jobs.front() : count_noun(request.jobs.size(), "job")));
  return remove_jobs(directories, ui);
}

int jobs_prune_command(const JobsPruneRequest& request, Ui& ui) {
  const std::int64_t newest = SystemClock().wall_ms() - request.older_than_ms;
  std::vector<JobDirectory> directories;
  for (const JobReport& job : all_jobs(ui, request.status, 0)) {
    const std::int64_t last_ms = std::max(job.record.created_ms, job.record.finished_ms);
    if (!job.is_running && last_ms <= newest) {
      directories.push_back(JobDirectory::open(ui.state_dir(), job.record.id));
    }
  }
  if (request.dry_run) {
    std::string text;
    for (const JobDirectory& directory : directories) {
      text += directory.folder().filename().string() + "\n";
    }
    ui.out(text);
    return 0;
  }
  if (directories.empty()) {
    ui.messages().note("There is nothing to delete.");
  } else {
    ui.confirm(fmt::format("Delete {} with everything that was answered?",
                           count_noun(directories.size(), "job")));
  }
  return remove_jobs(directories, ui);
}

}  // namespace batchllm
