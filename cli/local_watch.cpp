// SPDX-License-Identifier: Apache-2.0
#include "cli/local_watch.h"

#include "adapters/job/job_report.h"
#include "cli/event_watch.h"
#include "cli/job_event_view.h"
#include "cli/local_job.h"
#include "cli/progress_view.h"
#include "cli/stop_signals.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/job_replay.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>

namespace batchllm {
namespace {

using namespace job_event;

constexpr double k_milli = 1000;

// What a run shows while it goes on, out of its events.
class RunShow {
 public:
  explicit RunShow(Ui& ui)
      : ui_(ui),
        progress_(ui.options().progress, standard_error_output(ui.terminal())) {
    ui_.messages().print_through([this](std::string_view lines) { progress_.message(lines); });
  }

  ~RunShow() { ui_.messages().print_through({}); }

  RunShow(const RunShow&) = delete;
  RunShow& operator=(const RunShow&) = delete;
  RunShow(RunShow&&) = delete;
  RunShow& operator=(RunShow&&) = delete;

  // `is_old`: it was there before anybody watched.
  void take(const JobEvent& event, bool is_old) {
    const JobCounts before = view_.counts;
    apply(view_, event);
    if (std::holds_alternative<Started>(event.data)) {
      snapshot_ = {};
      snapshot_.already_done = static_cast<std::uint64_t>(view_.counts.done());
      started_ms_ = counted_ms_ = event.at_ms;
    }
    if (!(view_.counts == before)) {
      count(before, event.at_ms);
    }
    const auto* log = std::get_if<Log>(&event.data);
    if (log != nullptr && !is_old) {
      ui_.messages().warning(log->text);
    }
  }

  void show() {
    if (view_.state == JobState::running) {
      progress_.show(snapshot_, clock_.now());
      was_shown_ = true;
    }
  }

  void finish() {
    if (was_shown_) {
      progress_.finish(snapshot_);
    }
    ui_.messages().print_through({});
  }

  const JobView& view() const noexcept { return view_; }

 private:
  void count(const JobCounts& before, std::int64_t at_ms) {
    const JobCounts& now = view_.counts;
    snapshot_.ok = static_cast<std::uint64_t>(now.ok);
    snapshot_.failed = static_cast<std::uint64_t>(now.failed);
    snapshot_.skipped = static_cast<std::uint64_t>(now.skipped);
    snapshot_.done = static_cast<std::uint64_t>(now.done());
    if (now.rows_total) {
      snapshot_.total = static_cast<std::uint64_t>(*now.rows_total);
      snapshot_.total_is_exact = has_ended(view_.state);
    }
    snapshot_.cost_micro_usd = now.cost_micro_usd;
    snapshot_.cost_is_known = now.cost_micro_usd != 0;
    snapshot_.input_tokens = now.input_tokens;
    snapshot_.output_tokens = now.output_tokens;
    snapshot_.elapsed_s = static_cast<double>(at_ms - started_ms_) / k_milli;
    if (at_ms > counted_ms_ && !has_ended(view_.state)) {
      snapshot_.rows_per_s =
          static_cast<double>(std::max<std::int64_t>(now.done() - before.done(), 0)) * k_milli /
          static_cast<double>(at_ms - counted_ms_);
    }
    counted_ms_ = at_ms;
  }

  Ui& ui_;
  SystemClock clock_;
  ProgressView progress_;
  JobView view_;
  ProgressSnapshot snapshot_;
  std::int64_t started_ms_ = 0;
  std::int64_t counted_ms_ = 0;
  bool was_shown_ = false;
};

int exit_code_of(const JobReport& report, const JobView& view) {
  if (has_ended(view.state) && view.exit_code) {
    return static_cast<int>(*view.exit_code);
  }
  const bool had_seen_enough = view.state == JobState::paused && !view.fault;
  return had_seen_enough ? 0 : local_exit_code(report);
}

int sum_up(const JobReport& report, const JobView& view, Ui& ui) {
  const JobRecord& record = report.record;
  const int exit_code = exit_code_of(report, view);
  const std::string rows = fmt::format(
      "{} ok, {} failed{}{}",
      with_thousands(report.totals.ok),
      with_thousands(report.totals.failed),
      report.totals.skipped != 0 ? fmt::format(", {} skipped", report.totals.skipped) : "",
      report.totals.cost_micro_usd != 0 ? ", " + usd_text(report.totals.cost_micro_usd) : "");
  std::string text = fmt::format("{} {}: {}", record.id, report.status(), rows);
  if (record.status == JobStatus::running) {
    text = fmt::format("{} was interrupted, its process is gone: {}", record.id, rows);
  } else if (!record.stop_message.empty()) {
    text += fmt::format("; it was stopped: {}", one_line(record.stop_message, 200));
  }
  ui.messages().note(text);
  const bool goes_on = record.status != JobStatus::succeeded && record.status != JobStatus::partial;
  if (goes_on) {
    ui.messages().note(fmt::format("Go on with: batchllm resume {}", record.id));
  } else if (record.output_path != "-") {
    ui.messages().note("Its result is " + printable(record.output_path));
  }
  if (ui.json()) {
    ui.out(fmt::format("{{\"schema\":\"batchllm.job/1\",\"job\":{}}}\n", job_report_json(report)));
  }
  return exit_code;
}

}  // namespace

int watch_local_job(const JobDirectory& directory, Ui& ui) {
  const std::string id = directory.folder().filename().string();
  std::stop_source signalled;
  const StopSignals signals(signalled, ui.options().progress == ProgressMode::bar ? "\n" : "");
  EventWatch watch(directory);
  RunShow show(ui);
  bool is_old = true;
  const bool has_come_to_its_end = watch.follow(
      [&](const std::string& line) {
        show.take(parse_job_event_document(line), is_old);
        return is_old || !has_ended(show.view().state);
      },
      [&] {
        is_old = false;
        show.show();
      },
      signalled.get_token());
  show.finish();
  if (!has_come_to_its_end) {
    ui.messages().note(fmt::format("{0} goes on. Look again: batchllm jobs watch {0}", id));
    return error_kind(signals.error_code()).exit_code;
  }
  JobReport report = report_job(directory);
  report.is_running = false;  // its process may still be about to leave
  return sum_up(report, show.view(), ui);
}

int show_local_log(const JobDirectory& directory, bool follow, Ui& ui) {
  const auto show = [&ui](const std::string& line) {
    const auto event = parse_json_document(line);
    ui.out((ui.json() || !event ? line : event_line(*event)) + "\n");
    return true;
  };
  if (!follow) {
    EventLogReader reader(event_log_path(directory.folder()));
    for (std::string line; reader.next(line);) {
      show(line);
    }
    return 0;
  }
  std::stop_source signalled;
  const StopSignals signals(signalled);
  EventWatch watch(directory);
  if (!watch.follow(show, {}, signalled.get_token())) {
    throw Error(signals.error_code(), "interrupted");
  }
  return 0;
}

}  // namespace batchllm
