// SPDX-License-Identifier: Apache-2.0
#include "cli/jobs_command.h"

#include "adapters/job/job_report.h"
#include "cli/job_list.h"
#include "cli/job_places.h"
#include "cli/results_command.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

std::string input_text(const JobRecord& record) {
  if (record.inputs.empty()) {
    return "";
  }
  const std::string first =
      record.inputs.front().from_stdin
          ? "standard input"
          : std::filesystem::path(record.inputs.front().path).filename().string();
  return inputs_text(first, record.inputs.size());
}

// "tickets.csv (nightly): waits for its turn"
std::string about_text(const DaemonJob& job) {
  std::string text = inputs_text(job.input, job.input_count);
  if (!job.name.empty()) {
    text += text.empty() ? job.name : fmt::format(" ({})", job.name);
  }
  const std::string why = has_ended(job) ? std::string() : reason_text(job);
  return text + (text.empty() || why.empty() ? "" : ": ") + why;
}

std::string jobs_json(const std::vector<ListedJob>& jobs) {
  std::string text = R"({"schema":"batchllm.jobs/1","jobs":[)";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    text += i == 0 ? "" : ",";
    text += jobs[i].queued ? daemon_job_json(*jobs[i].queued) : job_report_json(*jobs[i].run);
  }
  return text + "]}\n";
}

constexpr std::string_view k_line = "{:<26} {:<13} {:>9} {:>8} {:>10}  {:<16}  {}\n";

std::string line_of(const ListedJob& job) {
  const bool is_queued = job.queued.has_value();
  const std::uint64_t ok = is_queued ? job.queued->ok : job.run->totals.ok;
  const std::uint64_t failed = is_queued ? job.queued->failed : job.run->totals.failed;
  const std::string about = is_queued ? about_text(*job.queued) : input_text(job.run->record);
  const std::int64_t cost = is_queued ? job.queued->cost_micro_usd : job.run->totals.cost_micro_usd;
  return fmt::format(k_line,
                     job.id(),
                     job.state(),
                     with_thousands(ok),
                     with_thousands(failed),
                     usd_text(cost),
                     local_time_text(job.created_ms()),
                     one_line(about, 60));
}

// "3 jobs: 1 running, 2 succeeded"
std::string counts_text(const std::vector<ListedJob>& jobs) {
  std::map<std::string, std::size_t, std::less<>> counts;
  for (const ListedJob& job : jobs) {
    ++counts[std::string(job.state())];
  }
  std::string text;
  for (const auto& [state, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, state);
  }
  return fmt::format("{}: {}", count_noun(jobs.size(), "job"), text);
}

// Jobs that are to be deleted: the daemon's by it, others here.
struct Doomed {
  std::vector<std::string> queued;
  std::vector<JobDirectory> runs;

  std::size_t size() const { return queued.size() + runs.size(); }

  std::vector<std::string> ids() const {
    std::vector<std::string> all = queued;
    for (const JobDirectory& run : runs) {
      all.push_back(run.folder().filename().string());
    }
    return all;
  }
};

int remove_jobs(Doomed& doomed, JobPlaces& places) {
  Ui& ui = places.ui();
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.removed/1").key("jobs").begin_array();
  const auto tell = [&](const std::string& id) {
    json.string(id);
    ui.messages().note(fmt::format("Deleted {}", id));
  };
  for (const std::string& id : doomed.queued) {
    places.require_daemon().del(url_path({"jobs", id}));
    tell(id);
  }
  for (JobDirectory& directory : doomed.runs) {
    const std::string id = directory.folder().filename().string();
    directory.remove();
    tell(id);
  }
  if (ui.json()) {
    ui.out(json.end_array().end_object().text() + "\n");
  }
  return 0;
}

void tell_of_absent_daemon(const JobList& list, Ui& ui) {
  if (list.not_shown != 0) {
    ui.messages().note(
        fmt::format("batchllmd is not running: {} of it shown as the folder tells, others may be "
                    "queued. Start it with: batchllm daemon start",
                    list.not_shown == 1 ? "1 job is" : fmt::format("{} jobs are", list.not_shown)));
  }
}

Doomed doomed_by_age(const JobsPruneRequest& request, JobPlaces& places) {
  const std::int64_t newest = SystemClock().wall_ms() - request.older_than_ms;
  Doomed doomed;
  std::size_t kept = 0;
  for (const ListedJob& job : list_jobs({request.status, 0, {}, {}}, places).jobs) {
    if (job.queued) {
      const std::int64_t last_ms = job.queued->finished_ms.value_or(job.queued->created_ms);
      if (has_ended(*job.queued) && last_ms <= newest) {
        doomed.queued.push_back(job.queued->id);
      }
      continue;
    }
    const JobReport& run = *job.run;
    const std::int64_t last_ms = std::max(run.record.created_ms, run.record.finished_ms);
    if (run.is_running || last_ms > newest) {
      continue;
    }
    if (is_the_daemons(run.record) && places.daemon() == nullptr) {
      ++kept;
      continue;
    }
    doomed.runs.push_back(JobDirectory::open(places.ui().state_dir(), run.record.id));
  }
  if (kept != 0) {
    places.ui().messages().warning(
        fmt::format("{} of batchllmd stay while it is not running", count_noun(kept, "job")));
  }
  return doomed;
}

}  // namespace

int jobs_list_command(const JobsListRequest& request,
                      const Settings& settings,
                      const EnvironmentLookup& environment,
                      Ui& ui) {
  JobPlaces places(settings, environment, ui);
  const JobList list = list_jobs(request, places);
  if (ui.json()) {
    ui.out(jobs_json(list.jobs));
    return 0;
  }
  if (list.jobs.empty()) {
    const bool is_filtered =
        !request.status.empty() || !request.project.empty() || !request.tags.empty();
    ui.messages().note(is_filtered
                           ? "No job is like that."
                           : "There are no jobs yet. Begin one with: batchllm run FILE --prompt "
                             "TEXT --model PROVIDER/NAME");
    return 0;
  }
  std::string text = fmt::format(k_line, "JOB", "STATUS", "OK", "FAILED", "COST", "BEGUN", "INPUT");
  for (const ListedJob& job : list.jobs) {
    text += line_of(job);
  }
  ui.out(text);
  if (ui.terminal().output_is_terminal) {
    ui.messages().note(counts_text(list.jobs));
  }
  tell_of_absent_daemon(list, ui);
  return 0;
}

int jobs_show_command(const JobsShowRequest& request,
                      const Settings& settings,
                      const EnvironmentLookup& environment,
                      Ui& ui) {
  JobPlaces places(settings, environment, ui);
  const auto queued = places.ask_daemon(request.job);
  if (!queued) {
    return results_show_command({request.job}, ui);
  }
  ui.out(ui.json() ? fmt::format("{{\"schema\":\"batchllm.job/1\",\"job\":{}}}\n",
                                 daemon_job_json(*queued))
                   : daemon_job_text(*queued));
  return 0;
}

int jobs_remove_command(const JobsRemoveRequest& request,
                        const Settings& settings,
                        const EnvironmentLookup& environment,
                        Ui& ui) {
  JobPlaces places(settings, environment, ui);
  Doomed doomed;
  for (const auto& id : request.jobs) {
    FoundJob job = places.find(id);
    if (!job.queued) {
      job.folder->lock();
      doomed.runs.push_back(std::move(*job.folder));
    } else if (!has_ended(*job.queued)) {
      throw Error(ErrorCode::job_conflict,
                  fmt::format("{} has not ended: it is {}", id, job.queued->state),
                  fmt::format("batchllm jobs cancel {} ends it", id));
    } else {
      doomed.queued.push_back(id);
    }
  }
  ui.confirm(fmt::format(
      "Delete {} with everything that was answered?",
      request.jobs.size() == 1 ? request.jobs.front() : count_noun(request.jobs.size(), "job")));
  return remove_jobs(doomed, places);
}

int jobs_prune_command(const JobsPruneRequest& request,
                       const Settings& settings,
                       const EnvironmentLookup& environment,
                       Ui& ui) {
  JobPlaces places(settings, environment, ui);
  Doomed doomed = doomed_by_age(request, places);
  if (request.dry_run) {
    std::string text;
    for (const std::string& id : doomed.ids()) {
      text += id + "\n";
    }
    ui.out(text);
    return 0;
  }
  if (doomed.size() == 0) {
    ui.messages().note("There is nothing to delete.");
  } else {
    ui.confirm(fmt::format("Delete {} with everything that was answered?",
                           count_noun(doomed.size(), "job")));
  }
  return remove_jobs(doomed, places);
}

}  // namespace batchllm
