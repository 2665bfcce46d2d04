// SPDX-License-Identifier: Apache-2.0
#include "cli/jobs_control_command.h"

#include "cli/job_places.h"
#include "cli/local_job.h"
#include "cli/run_command.h"
#include "cli/settings_loader.h"
#include "cli/settings_reader.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/outcome.h"
#include "core/request_options.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace batchllm {
namespace {

class JobControlCommand {
 public:
  JobControlCommand(const CommandLine& line,
                    const Settings& settings,
                    const EnvironmentLookup& environment,
                    Ui& ui)
      : line_(line),
        settings_(settings),
        environment_(environment),
        ui_(ui),
        places_(settings, environment, ui) {}

  int run() {
    switch (line_.command->command) {
      case Command::jobs_cancel:
        return for_each([this](const FoundJob& job) { cancel(job); });
      case Command::jobs_pause:
        return for_each([this](const FoundJob& job) { pause(job); });
      case Command::jobs_answer:
        return answer(read_jobs_answer_request(line_));
      case Command::retry:
      case Command::jobs_retry:
        return retry();
      default:
        return resume();
    }
  }

 private:
  template <typename Act>
  int for_each(Act act) {
    std::vector<FoundJob> jobs;  // all are found before anything happens to one
    for (const std::string& id : line_.arguments) {
      jobs.push_back(places_.find(id));
    }
    for (const FoundJob& job : jobs) {
      act(job);
    }
    print_changed();
    return 0;
  }

  DaemonJob post(const FoundJob& job, std::string_view action, std::string_view body = "{}") {
    DaemonJob now =
        read_daemon_job(places_.require_daemon().post(url_path({"jobs", job.id, action}), body));
    changed_.push_back(daemon_job_json(now));
    return now;
  }

  void print_changed() {
    if (!ui_.json()) {
      return;
    }
    std::string text = R"({"schema":"batchllm.jobs/1","jobs":[)";
    for (std::size_t i = 0; i < changed_.size(); ++i) {
      text += (i == 0 ? "" : ",") + changed_[i];
    }
    ui_.out(text + "]}\n");
  }

  void say(const DaemonJob& job) {
    const std::string why = has_ended(job) ? std::string() : reason_text(job);
    ui_.messages().note(fmt::format("{} {}{}", job.id, job.state, why.empty() ? "" : ": " + why));
  }

  void cancel(const FoundJob& job) {
    if (job.queued) {
      say(post(job, "cancel"));
      return;
    }
    interrupt_local_job(*job.folder);
    changed_.push_back(job_report_json(report_job(*job.folder)));
    ui_.messages().note(
        fmt::format("{} is stopping; batchllm resume {} goes on with it", job.id, job.id));
  }

  void pause(const FoundJob& job) {
    if (!job.queued) {
      throw Error(
          ErrorCode::job_conflict,
          fmt::format("{} is no job of batchllmd but a run, which cannot be paused", job.id),
          fmt::format(
              "batchllm jobs cancel {} stops it, batchllm resume {} goes on", job.id, job.id));
    }
    say(post(job, "pause"));
  }

  int answer(const JobsAnswerRequest& request) {
    const FoundJob job = places_.find(request.job);
    if (!job.queued || job.queued->question.empty()) {
      throw Error(ErrorCode::job_conflict,
                  fmt::format("{} asks nothing", job.id),
                  fmt::format("batchllm jobs show {}", job.id));
    }
    std::string text = request.answer;
    if (text.empty()) {
      text = ui_.ask(job.queued->question, fmt::format("batchllm jobs answer {} ANSWER", job.id));
    }
    JsonWriter json;
    json.begin_object().key("answer").string(as_utf8(text)).end_object();
    say(post(job, "answer", json.text()));
    print_changed();
    return 0;
  }

  // Options that a daemon's job takes when it goes on: its cost limit.
  std::string limit_of_resume(const FoundJob& job) const {
    std::string limit;
    for (const auto& [key, value] : line_.flags) {
      if (key == "run.max_cost") {
        limit = value.texts.front();
      } else if (key.starts_with("run.")) {
        throw Error(
            ErrorCode::usage,
            fmt::format("{} cannot be changed: {} is a job of batchllmd", value.place, job.id),
            "only --max-cost can");
      }
    }
    return limit;
  }

  void resume_queued(const FoundJob& job) {
    const std::string limit = limit_of_resume(job);
    if (!limit.empty()) {
      JsonWriter json;
      json.begin_object().key("max_cost").string(limit).end_object();
      places_.require_daemon().patch(url_path({"jobs", job.id}), json.text());
    }
    say(post(job, "resume"));
    ui_.messages().note(fmt::format("Look: batchllm jobs watch {}", job.id));
  }

  JobSurroundings surroundings() const { return surroundings_of(line_, environment_); }

  int resume() {
    if (line_.arguments.empty()) {
      return resume_command(read_resume_request(line_), surroundings(), ui_);
    }
    std::vector<FoundJob> jobs;
    for (const std::string& id : line_.arguments) {
      jobs.push_back(places_.find(id));
    }
    int worst = 0;
    for (const FoundJob& job : jobs) {
      name_canonical_form(job, "resume");
      if (job.queued) {
        resume_queued(job);
      } else {
        ResumeRequest request = read_resume_request(line_);
        request.job = job.id;
        worst = std::max(worst, resume_command(request, surroundings(), ui_));
      }
    }
    if (!changed_.empty()) {
      print_changed();
    }
    return worst;
  }

  int retry() {
    const FoundJob job = places_.find(line_.arguments.front());
    const RetryRequest request = read_retry_request(line_, settings_);
    name_canonical_form(job, "retry");
    if (!job.queued) {
      return retry_command(request, surroundings(), ui_);
    }
    const DaemonJob now = post(job, "retry", retry_body(request));
    if (ui_.json()) {
      print_changed();
    } else if (!ui_.terminal().output_is_terminal) {
      ui_.out(now.id + "\n");
    }
    ui_.messages().note(fmt::format(
        "Queued {}, which asks the failed rows of {} again. Look: batchllm jobs watch {}",
        now.id,
        job.id,
        now.id));
    return 0;
  }

  std::string retry_body(const RetryRequest& request) const {
    JsonWriter json;
    json.begin_object();
    if (!request.only.empty()) {
      json.key("only").begin_array();
      for (const RowFailure failure : request.only) {
        json.string(failure_name(failure));
      }
      json.end_array();
    }
    SettingLayer options;
    for (const auto& [key, value] : line_.flags) {
      if (key.starts_with("run.")) {
        options.emplace(key, value);
      }
    }
    if (!options.empty()) {
      json.key("options").raw(options_to_json(options));
    }
    return json.end_object().text();
  }

  // There are two ways to say the same; the messages of either kind of job name one of them.
  void name_canonical_form(const FoundJob& job, std::string_view action) {
    const bool below_jobs = line_.command->path.starts_with("jobs ");
    if (below_jobs != job.queued.has_value()) {
      ui_.messages().note(
          fmt::format("The same as: batchllm {}{} {}", job.queued ? "jobs " : "", action, job.id));
    }
  }

  const CommandLine& line_;
  const Settings& settings_;
  const EnvironmentLookup& environment_;
  Ui& ui_;
  JobPlaces places_;
  std::vector<std::string> changed_;
};

}  // namespace

int jobs_control_command(const CommandLine& line,
                         const Settings& settings,
                         const EnvironmentLookup& environment,
                         Ui& ui) {
  return JobControlCommand(line, settings, environment, ui).run();
}

}  // namespace batchllm
