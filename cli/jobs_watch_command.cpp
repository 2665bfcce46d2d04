// SPDX-License-Identifier: Apache-2.0
#include "cli/jobs_watch_command.h"

#include "cli/job_event_view.h"
#include "cli/job_places.h"
#include "cli/local_watch.h"
#include "cli/progress_view.h"
#include "cli/stop_signals.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <stop_token>
#include <string_view>

namespace batchllm {
namespace {

std::string events_path(const std::string& id) {
  return url_path({"jobs", id, "events"});
}

bool is_end(std::string_view type) {
  return type == "job.succeeded" || type == "job.partial" || type == "job.failed" ||
         type == "job.cancelled";
}

// What is worth a line above the progress: why a job stands still, warnings.
bool is_worth_telling(std::string_view type) {
  return type == "job.paused" || type == "job.waiting_input" || type == "job.interrupted" ||
         type == "job.queued" || type == "job.log";
}

// The daemon's stream of one job, shown like a run.
class JobWatch {
 public:
  JobWatch(const Settings& settings, const EnvironmentLookup& environment, Ui& ui)
      : ui_(ui),
        signals_(stop_, ui.options().progress == ProgressMode::bar ? "\n" : ""),
        places_(settings, environment, ui, stop_.get_token()),
        view_(ui.options().progress, standard_error_output(ui.terminal())) {}

  int run(const std::string& id) {
    try {
      return watch(id);
    } catch (const Error& error) {
      ui_.messages().print_through({});
      if (error.code() != ErrorCode::interrupted) {
        throw;
      }
      view_.finish(snapshot_);
      ui_.messages().note(fmt::format(
          "{} goes on. Look again: batchllm jobs watch {}   end it: batchllm jobs cancel {}",
          id,
          id,
          id));
      return error_kind(signals_.error_code()).exit_code;
    }
  }

 private:
  int watch(const std::string& id) {
    const FoundJob found = places_.find(id);
    DaemonJob job = *found.queued;
    if (!has_ended(job)) {
      begin(job);
      places_.require_daemon().watch_events(
          events_path(id), job.last_event, [this](const SseEvent& event) { return take(event); });
      ui_.messages().print_through({});
      job = places_.find(id).queued.value_or(job);
      snapshot_ = merged(job);
      view_.finish(snapshot_);
    }
    return sum_up(job);
  }

  void begin(const DaemonJob& job) {
    snapshot_ = progress_of(job);
    const std::int64_t before_ms =
        job.started_ms ? std::max<std::int64_t>(0, clock_.wall_ms() - *job.started_ms) : 0;
    begun_ = clock_.now() - Milliseconds(before_ms);
    ui_.messages().print_through([this](std::string_view lines) { view_.message(lines); });
    if (const std::string why = reason_text(job); !why.empty()) {
      ui_.messages().note(fmt::format("{} {}", job.id, why));
    }
    view_.show(snapshot_, clock_.now());
  }

  bool take(const SseEvent& event) {
    const auto document = parse_json_document(event.data);
    if (!document) {
      return true;  // of a newer daemon, perhaps; the next one is another
    }
    if (event.type == "job.started") {
      begun_ = clock_.now();
    }
    if (is_worth_telling(event.type)) {
      ui_.messages().note(event_line(*document));
    }
    take_counts(*document, snapshot_);
    snapshot_.elapsed_s = std::chrono::duration<double>(clock_.now() - begun_).count();
    view_.show(snapshot_, clock_.now());
    return !is_end(event.type);
  }

  ProgressSnapshot merged(const DaemonJob& job) const {
    ProgressSnapshot last = progress_of(job);
    last.elapsed_s = snapshot_.elapsed_s;
    last.rows_per_s = snapshot_.elapsed_s > 0 ? static_cast<double>(last.done) / snapshot_.elapsed_s
                                              : snapshot_.rows_per_s;
    return last;
  }

  int sum_up(const DaemonJob& job) {
    const int code = settled_exit_code(job).value_or(0);
    if (job.error_message.empty() || job.state == "succeeded" || job.state == "partial") {
      ui_.messages().note(summary(job));
    } else {
      const auto known = find_error_code(job.error_code);
      ui_.messages().error(
          Error(known.value_or(ErrorCode::internal), printable(job.error_message), summary(job))
              .with_detail("job", job.id));
    }
    if (job.failed + job.skipped != 0) {
      ui_.messages().note(fmt::format(
          "Why they failed: batchllm results errors {}   ask them again: batchllm jobs retry {}",
          job.id,
          job.id));
    }
    if (ui_.json()) {
      ui_.out(fmt::format("{{\"schema\":\"batchllm.job/1\",\"job\":{}}}\n", daemon_job_json(job)));
    }
    return code;
  }

  static std::string summary(const DaemonJob& job) {
    const bool is_timed = job.started_ms && job.finished_ms;
    constexpr double k_milli = 1000;
    return fmt::format(
        "{} {}: {} ok, {} failed{}{}{}",
        job.id,
        job.state,
        with_thousands(job.ok),
        with_thousands(job.failed),
        job.skipped == 0 ? "" : fmt::format(", {} skipped", with_thousands(job.skipped)),
        job.cost_micro_usd == 0 ? "" : ", " + usd_text(job.cost_micro_usd),
        is_timed
            ? fmt::format(
                  " in {}",
                  duration_text(static_cast<double>(*job.finished_ms - *job.started_ms) / k_milli))
            : "");
  }

  Ui& ui_;
  SystemClock clock_;
  std::stop_source stop_;
  StopSignals signals_;
  JobPlaces places_;
  ProgressView view_;
  ProgressSnapshot snapshot_;
  TimePoint begun_;
};

void print_event(Ui& ui, const JsonNode& event) {
  ui.out((ui.json() ? event.to_json() : event_line(event)) + "\n");
}

// Page after page; returns the number of the last event.
std::string print_stored_events(Ui& ui, DaemonClient& daemon, const std::string& id) {
  std::string last;
  std::string cursor;
  do {
    const JsonNode page = daemon.get(events_path(id), {{"limit", "500"}, {"cursor", cursor}});
    const JsonNode* items = page.find("items");
    for (const JsonNode& event : items == nullptr ? std::span<const JsonNode>() : items->items()) {
      print_event(ui, event);
      const JsonNode* seq = event.find("seq");
      last = seq == nullptr ? last : seq->to_json();
    }
    cursor = page.find_string("next_cursor").value_or("");
  } while (!cursor.empty());
  return last;
}

}  // namespace

int jobs_watch_command(const std::string& id,
                       const Settings& settings,
                       const EnvironmentLookup& environment,
                       Ui& ui) {
  const FoundJob found = JobPlaces(settings, environment, ui).find(id);
  return found.queued ? JobWatch(settings, environment, ui).run(id)
                      : watch_local_job(*found.folder, ui);
}

int jobs_logs_command(const JobsLogsRequest& request,
                      const Settings& settings,
                      const EnvironmentLookup& environment,
                      Ui& ui) {
  JobPlaces places(settings, environment, ui);
  const FoundJob found = places.find(request.job);
  if (!found.queued) {
    return show_local_log(*found.folder, request.follow, ui);
  }
  DaemonClient& daemon = places.require_daemon();
  const std::string last = print_stored_events(ui, daemon, request.job);
  if (request.follow && !has_ended(*found.queued)) {
    daemon.watch_events(events_path(request.job), last, [&ui](const SseEvent& event) {
      if (event.type != "progress") {
        if (const auto document = parse_json_document(event.data)) {
          print_event(ui, *document);
        }
      }
      return !is_end(event.type);
    });
  }
  return 0;
}

}  // namespace batchllm
