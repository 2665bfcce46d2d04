// SPDX-License-Identifier: Apache-2.0
#include "cli/job_runner.h"

#include "cli/answer_reports.h"
#include "cli/progress_view.h"
#include "cli/run_events.h"
#include "cli/run_summary.h"
#include "cli/stop_signals.h"
#include "core/clock.h"
#include "core/error.h"

#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

namespace batchllm {
namespace {

// Shows a run on the terminal and writes its events down, and takes signals while requests are sent
// and their answers saved.
class TerminalListener final : public JobListener {
 public:
  TerminalListener(JobControl& control, RunEvents& events, Ui& ui)
      : control_(control),
        events_(events),
        ui_(ui) {}

  // The engine threw when the view still shows.
  ~TerminalListener() override { stop_showing(); }

  TerminalListener(const TerminalListener&) = delete;
  TerminalListener& operator=(const TerminalListener&) = delete;

  void note(std::string_view text) override { ui_.messages().note(text); }

  void warning(std::string_view text) override {
    ui_.messages().warning(text);
    events_.warning(text);
  }

  void sending_begins() override {
    events_.begun();
    const bool has_bar = ui_.options().progress == ProgressMode::bar;
    signals_.emplace(signalled_, has_bar ? "\n" : "");
    on_signal_.emplace(signalled_.get_token(), [this] {
      control_.stop(Error(signals_->error_code(), "interrupted"));
      ui_.messages().note("Stopping: waiting for the answers in flight. Once more stops at once.");
    });
    view_.emplace(ui_.options().progress, standard_error_output(ui_.terminal()));
    ui_.messages().print_through([this](std::string_view lines) { view_->message(lines); });
    is_showing_ = true;
  }

  void progress(const ProgressSnapshot& snapshot) override {
    view_->show(snapshot, clock_.now());
    events_.progress(snapshot);
  }

  void sending_ended(const ProgressSnapshot& last) override {
    view_->finish(last);
    stop_showing();
  }

 private:
  void stop_showing() {
    if (is_showing_) {
      is_showing_ = false;
      ui_.messages().print_through({});
    }
  }

  JobControl& control_;
  RunEvents& events_;
  Ui& ui_;
  SystemClock clock_;
  std::stop_source signalled_;
  std::optional<StopSignals> signals_;
  std::optional<std::stop_callback<std::function<void()>>> on_signal_;
  std::optional<ProgressView> view_;
  bool is_showing_ = false;
};

JobEnd run_and_record(JobDirectory& directory,
                      JobRecord& record,
                      const JobStart& start,
                      const JobSurroundings& surroundings,
                      RunEvents& events,
                      Ui& ui) {
  JobControl control;
  TerminalListener listener(control, events, ui);
  try {
    JobEnd end = run_job(directory, record, start, surroundings, control, listener);
    events.ended(record, end);
    return end;
  } catch (const Error& error) {
    events.failed(record, error);
    throw;
  }
}

}  // namespace

int run_and_report(JobDirectory& directory,
                   JobRecord& record,
                   const JobStart& start,
                   const JobSurroundings& surroundings,
                   Ui& ui) {
  const SystemClock clock;
  RunEvents events(directory, clock);
  const JobEnd end = run_and_record(directory, record, start, surroundings, events, ui);
  if (!end.reader_has_left) {
    // Stopped by a limit, it did what it was allowed to.
    const bool has_answers =
        !end.stop || end.stop->exit_code() == error_kind(ErrorCode::cost_limit).exit_code;
    report_run(record,
               end,
               has_answers && end.result.progress.done != 0
                   ? answer_reports_of(record, directory.folder(), ui)
                   : AnswerReports{},
               ui);
  }
  return end.exit_code;
}

}  // namespace batchllm
