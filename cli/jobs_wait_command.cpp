// SPDX-License-Identifier: Apache-2.0
#include "cli/jobs_wait_command.h"

#include "adapters/job/job_report.h"
#include "cli/job_places.h"
#include "cli/local_job.h"
#include "cli/stop_signals.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

namespace batchllm {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// One of the jobs that are waited for.
struct WaitedJob {
  FoundJob job;
  std::optional<int> code;
  std::string state;
  std::string reason;
};

class JobWaiter {
 public:
  JobWaiter(const JobsWaitRequest& request,
            const Settings& settings,
            const EnvironmentLookup& environment,
            Ui& ui)
      : request_(request),
        ui_(ui),
        signals_(stop_),
        places_(settings, environment, ui, stop_.get_token()) {
    if (request.timeout_ms) {
      deadline_ = steady_clock::now() + milliseconds(*request.timeout_ms);
    }
  }

  int run() {
    for (const std::string& id : request_.jobs) {
      jobs_.push_back({find(id), std::nullopt, {}, {}});
    }
    look();
    while (!is_done()) {
      wait_a_while();
      look();
    }
    return report();
  }

 private:
  static constexpr milliseconds k_step{250};
  static constexpr milliseconds k_patience{60'000};

  bool is_done() const {
    const auto is_settled = [](const WaitedJob& job) { return job.code.has_value(); };
    return request_.any ? std::any_of(jobs_.begin(), jobs_.end(), is_settled)
                        : std::all_of(jobs_.begin(), jobs_.end(), is_settled);
  }

  // Whoever is waited for in turn: for all of them the first that is open is enough to know that
  // the wait goes on.
  void look() {
    for (WaitedJob& job : jobs_) {
      if (!job.code) {
        job.job.queued ? look_at_queued(job) : look_at_local(job);
      }
      if (!job.code && !request_.any) {
        return;
      }
    }
  }

  void look_at_queued(WaitedJob& job) {
    if (job.state.empty()) {
      take(job, *job.job.queued);  // what find() brought
      return;
    }
    const auto now = asking([&] { return places_.ask_daemon(job.job.id); });
    if (!now) {
      return;  // away: asked again
    }
    if (!*now) {
      throw Error(ErrorCode::job_not_found,
                  fmt::format("{} was deleted while it was waited for", job.job.id));
    }
    take(job, **now);
  }

  void take(WaitedJob& job, const DaemonJob& now) {
    job.state = now.state;
    job.reason = now.reason;
    job.code = settled_exit_code(now);
    if (job.code && !has_ended(now)) {
      tell_what_it_needs(now);
    } else if (job.code && *job.code != 0 && !now.error_message.empty()) {
      ui_.messages().note(
          fmt::format("{} {}: {}", now.id, now.state, printable(now.error_message)));
    }
  }

  void look_at_local(WaitedJob& job) {
    if (job.job.folder->is_locked()) {
      job.state = "running";
      return;
    }
    const JobReport report = report_job(*job.job.folder);
    job.state = report.status();
    job.reason = report.record.stop_code;
    job.code = local_exit_code(report);
  }

  void tell_what_it_needs(const DaemonJob& job) {
    ui_.messages().note(fmt::format("{} {}", job.id, reason_text(job)));
    if (job.state == "waiting_input") {
      ui_.messages().note(fmt::format("Answer with: batchllm jobs answer {} ANSWER", job.id));
    }
  }

  // A job that is waited for by its daemon, which answers at once when it ends; what pauses it is
  // seen with the next look.
  void wait_a_while() {
    const auto open = std::find_if(
        jobs_.begin(), jobs_.end(), [](const WaitedJob& job) { return !job.code.has_value(); });
    const auto begun = steady_clock::now();
    if (open->job.queued) {
      asking([&] {
        return places_.require_daemon().get(url_path({"jobs", open->job.id, "wait"}),
                                            {{"timeout", "1"}});
      });
    }
    if (steady_clock::now() - begun < k_step) {
      rest();
    }
    if (deadline_ && steady_clock::now() >= *deadline_) {
      throw Error(ErrorCode::timeout,
                  fmt::format("{} has not ended in {}",
                              open->job.id,
                              duration_text(static_cast<double>(*request_.timeout_ms) / 1000)));
    }
  }

  void rest() {
    milliseconds time = k_step;
    if (deadline_) {
      time = std::clamp(
          std::chrono::ceil<milliseconds>(*deadline_ - steady_clock::now()), milliseconds(0), time);
    }
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    never.wait_for(lock, stop_.get_token(), time, [] { return false; });
    if (stop_.stop_requested()) {
      throw Error(signals_.error_code(), "interrupted; the jobs go on");
    }
  }

  FoundJob find(const std::string& id) {
    try {
      return places_.find(id);
    } catch (const Error& error) {
      rethrow_if_interrupted(error);
      throw;
    }
  }

  // What the daemon answers; nothing while it is away for a short time (it starts anew, say).
  template <typename Ask>
  auto asking(Ask ask) -> std::optional<decltype(ask())> {
    try {
      auto answer = ask();
      away_since_.reset();
      return answer;
    } catch (const Error& error) {
      rethrow_if_interrupted(error);
      const bool may_come_back = error.code() == ErrorCode::daemon_unreachable ||
                                 error.code() == ErrorCode::daemon_draining ||
                                 error.code() == ErrorCode::daemon_busy;
      const auto now = steady_clock::now();
      away_since_ = away_since_.value_or(now);
      if (!may_come_back || now - *away_since_ > k_patience) {
        throw;
      }
      return std::nullopt;
    }
  }

  void rethrow_if_interrupted(const Error& error) const {
    if (error.code() == ErrorCode::interrupted) {
      throw Error(signals_.error_code(), "interrupted; the jobs go on");
    }
  }

  int report() {
    int worst = 0;
    JsonWriter json;
    json.begin_object().key("schema").string("batchllm.wait/1").key("jobs").begin_array();
    for (const WaitedJob& job : jobs_) {
      worst = std::max(worst, job.code.value_or(0));
      json.begin_object().key("id").string(job.job.id).key("state").string(job.state);
      json.key("reason");
      job.reason.empty() ? json.null() : json.string(job.reason);
      json.key("exit_code");
      job.code ? json.number(*job.code) : json.null();
      json.end_object();
    }
    if (ui_.json()) {
      ui_.out(json.end_array().key("exit_code").number(worst).end_object().text() + "\n");
    }
    return worst;
  }

  const JobsWaitRequest& request_;
  Ui& ui_;
  std::stop_source stop_;
  StopSignals signals_;
  JobPlaces places_;
  std::vector<WaitedJob> jobs_;
  std::optional<steady_clock::time_point> deadline_;
  std::optional<steady_clock::time_point> away_since_;
};

}  // namespace

int jobs_wait_command(const JobsWaitRequest& request,
                      const Settings& settings,
                      const EnvironmentLookup& environment,
                      Ui& ui) {
  return JobWaiter(request, settings, environment, ui).run();
}

}  // namespace batchllm
