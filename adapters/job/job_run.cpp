// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_run.h"

#include "adapters/http/connection_limit.h"
#include "adapters/http/http_loop.h"
#include "adapters/job/cost_estimate.h"
#include "adapters/job/failed_rows.h"
#include "adapters/job/job_encoder.h"
#include "adapters/job/job_form.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/job_model.h"
#include "adapters/job/job_output.h"
#include "adapters/job/job_steps.h"
#include "adapters/job/row_sample.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> input_names(const JobRecord& record) {
  std::vector<std::string> names;
  for (const auto& input : record.inputs) {
    names.push_back(input.from_stdin ? "standard input" : input.path);
  }
  return names;
}

// `| head` has seen enough: no error, and nothing to say.
bool reader_has_left(const Error& error) {
  const auto& details = error.details();
  return std::find(details.begin(),
                   details.end(),
                   std::pair<std::string, std::string>("closed", "yes")) != details.end();
}

void remove_quietly(const std::string& path) {
  std::error_code error;
  if (!path.empty()) {
    fs::remove(path, error);
  }
}

// One run of a job: everything that lives as long as its engine.
class JobSession {
 public:
  JobSession(JobDirectory& directory,
             JobRecord& record,
             const JobStart& start,
             const JobSurroundings& surroundings,
             JobControl& control,
             JobListener& listener)
      : directory_(directory),
        record_(record),
        start_(start),
        control_(control),
        stop_(control.stop_reason()),
        listener_(listener),
        model_(make_model(record.settings, surroundings, true)),
        check_(model_.form == nullptr ? std::nullopt : std::optional<FormCheck>(model_.form)),
        inputs_(record, directory.folder().string()),
        source_(inputs_.open_first()),
        encoder_(make_encoder(record, *source_, model_)),
        steps_(JobSteps::open(record, *source_, model_, surroundings, true)),
        plan_(plan_output(record, *source_, directory.folder())),
        ledger_(directory.folder(), record.id),
        manifest_(directory.manifest_path()),
        rejects_(directory.rejects_path(), input_names(record)) {
    // Where a result in the folder lies is planned again each time.
    is_saved_ = start.is_new && (record_.result_in_folder || record_.output_path == plan_.path);
    record_.output_path = plan_.path;
    check_appending(record, plan_, *source_);
    const auto columns = record.settings.output.order == RowOrder::completion &&
                                 record.settings.output.columns.empty() && !source_->is_open_ended()
                             ? source_->columns()
                             : std::vector<std::string>{};
    encoder_->need_columns(columns);
    if (steps_) {
      encoder_->need_columns(steps_->row_columns());
    }
    source_->select(encoder_->columns());
    encoder_->bind(encoder_->columns());
  }

  JobEnd run();

 private:
  std::unique_ptr<Transport> open_transport();
  std::vector<LaneSettings> other_lanes(const LaneSettings& first) const;
  EngineSettings engine_settings();
  void announce();
  JobEnd finish(EngineResult result);
  std::string publish_rejects(const EngineResult& result);
  void warn_about(const EngineResult& result);
  void settle_status(const EngineResult& result);
  int exit_code(const EngineResult& result) const;

  JobDirectory& directory_;
  JobRecord& record_;
  const JobStart& start_;
  JobControl& control_;
  StopReason& stop_;
  JobListener& listener_;
  JobModel model_;
  std::optional<FormCheck> check_;
  JobInputs inputs_;
  std::unique_ptr<InputSource> source_;
  std::unique_ptr<ChatRowEncoder> encoder_;
  std::unique_ptr<JobSteps> steps_;  // null: there is one
  OutputPlan plan_;
  Ledger ledger_;
  Manifest manifest_;
  RejectLog rejects_;
  bool is_saved_ = false;  // as it is now
};

JobEnd JobSession::run() {
  if (start_.retries_failed) {
    reopen_failed_rows(directory_.folder(), start_.retry_only, ledger_, manifest_);
  }
  record_.status = JobStatus::running;
  record_.stop_code.clear();
  record_.stop_message.clear();
  if (!is_saved_) {
    directory_.save(record_);
  }
  open_unsealed_shards(ledger_, manifest_, directory_.folder());
  announce();
  const auto transport = open_transport();
  const SystemClock clock;
  listener_.sending_begins();
  Engine engine({*source_,
                 *encoder_,
                 *model_.provider,
                 *transport,
                 ledger_,
                 manifest_,
                 rejects_,
                 clock,
                 stop_,
                 &control_.concurrency()},
                engine_settings());
  EngineResult result =
      engine.run([this](const ProgressSnapshot& snapshot) { listener_.progress(snapshot); });
  listener_.sending_ended(result.progress);
  return finish(std::move(result));
}

std::unique_ptr<Transport> JobSession::open_transport() {
  HttpLoopSettings http;
  if (steps_) {
    for (const JobSteps::Address& address : steps_->addresses()) {
      http.endpoints.push_back(address.endpoint);
    }
  } else {
    http.endpoints.push_back(model_.provider->endpoint());
  }
  const std::size_t addresses = http.endpoints.size();
  const std::int64_t concurrency = record_.settings.limits.concurrency;
  const auto wanted = static_cast<std::size_t>(concurrency) * addresses;
  const auto most = static_cast<std::size_t>(std::max(concurrency, start_.most_concurrency));
  const std::size_t allowed = std::max(allow_connections(most * addresses), addresses);
  if (allowed < wanted) {
    listener_.warning(fmt::format(
        "the limit of open files allows {} rows in flight, not {} (ulimit -n)", allowed, wanted));
  }
  http.capacity = std::min(most, allowed / addresses);
  return make_http_loop(http);
}

// The limits of requests and tokens a minute are said of the first step's provider; others tell
// theirs.
std::vector<LaneSettings> JobSession::other_lanes(const LaneSettings& first) const {
  std::vector<LaneSettings> lanes;
  for (std::size_t i = 1; i < steps_->addresses().size(); ++i) {
    LaneSettings& lane = lanes.emplace_back(first);
    lane.seed = first.seed + i;
    if (!steps_->addresses()[i].is_first_provider) {
      lane.requests_per_minute.reset();
      lane.tokens_per_minute.reset();
    }
  }
  return lanes;
}

EngineSettings JobSession::engine_settings() {
  const std::stop_token stop = control_.asked_to_stop();
  const JobSettings& settings = record_.settings;
  EngineSettings engine;
  engine.lane.concurrency = settings.limits.concurrency;
  engine.lane.most_concurrency = start_.most_concurrency;
  engine.lane.max_attempts = static_cast<std::uint32_t>(settings.limits.max_attempts);
  engine.lane.requests_per_minute = settings.limits.requests_per_minute;
  engine.lane.tokens_per_minute = settings.limits.tokens_per_minute;
  engine.lane.seed = std::random_device{}();
  if (steps_) {
    engine.other_lanes = other_lanes(engine.lane);
  }
  engine.dispatcher.check = check_ ? &*check_ : nullptr;
  if (steps_) {
    engine.dispatcher.steps = &steps_->start(engine.dispatcher.check, encoder_->columns());
  }
  engine.dispatcher.reasks = static_cast<std::uint32_t>(settings.answer.reasks);
  engine.dispatcher.request_timeout = Milliseconds(settings.limits.request_timeout_ms);
  engine.dispatcher.price = model_.price;
  engine.dispatcher.worst_case_output_tokens = model_.worst_case_output_tokens;
  engine.dispatcher.bundle = model_.bundle;
  engine.dispatcher.provider_name = model_.provider_title;
  engine.dispatcher.endpoint = model_.endpoint;
  if (settings.limits.deadline_ms) {
    engine.dispatcher.deadline =
        std::chrono::steady_clock::now() + Milliseconds(*settings.limits.deadline_ms);
  }
  engine.dispatcher.max_failures = settings.limits.max_failures;
  engine.dispatcher.max_failures_share = settings.limits.max_failures_share;
  engine.max_cost_micro_usd = settings.limits.max_cost_micro_usd;
  engine.reader.offset = settings.selection.offset;
  engine.reader.limit = settings.selection.limit;
  if (settings.selection.sample) {
    const auto source = inputs_.open_again(stop);
    engine.reader.sampled_rows =
        sample_rows(*source, *encoder_, *settings.selection.sample, settings.selection.seed);
  }
  engine.reader.on_bad_row = settings.on_bad_row;
  engine.reader.in_doubt = settings.in_doubt;
  engine.reader.input_names = input_names(record_);
  engine.reader.rejects_name =
      plan_.rejects_path.empty() ? rejects_.path().string() : plan_.rejects_path;
  engine.reader.at_mark = [this] {
    for (std::size_t i = 0; i < record_.inputs.size() && i < 1000; ++i) {
      if (const auto digest = source_->prefix_digest(i)) {
        manifest_.set_digest(static_cast<std::uint32_t>(i), {digest->bytes, digest->xxh3});
      }
    }
  };
  engine.order = settings.output.order;
  engine.job_folder = directory_.folder();
  engine.result = make_result_settings(record_, plan_, inputs_, stop);
  return engine;
}

void JobSession::announce() {
  for (const auto& input : source_->describe()) {
    for (const auto& warning : input.warnings) {
      listener_.warning(warning);
    }
  }
  for (const auto& warning : encoder_->warnings()) {
    listener_.warning(warning);
  }
  const bool from_stdin = record_.inputs.front().from_stdin;
  std::string what = from_stdin ? "standard input"
                     : record_.inputs.size() == 1
                         ? fs::path(record_.inputs.front().path).filename().string()
                         : count_noun(record_.inputs.size(), "file");
  std::string text =
      fmt::format("{} {}", start_.is_new ? "Reading" : "Going on with", printable(what));
  if (!from_stdin) {
    const std::uint64_t done = manifest_.totals().done() + ledger_.opened_totals().done();
    const CostEstimate estimate =
        estimate_cost(record_, inputs_, model_, steps_.get()).without(done);
    text += fmt::format(": {}{}",
                        done == 0 ? "" : fmt::format("{} done, to go: ", count_noun(done, "row")),
                        describe_estimate(estimate, record_.settings.limits.max_cost_micro_usd));
  }
  listener_.note(fmt::format("{} ({})", text, record_.id));
  if (plan_.path != "-" && record_.settings.output.path.empty()) {
    listener_.note(fmt::format("Results go to {}", printable(plan_.path)));
  }
}

JobEnd JobSession::finish(EngineResult result) {
  record_.totals = {};
  record_.totals.ok = result.progress.ok;
  record_.totals.failed = result.progress.failed;
  record_.totals.skipped = result.progress.skipped;
  record_.totals.cost_micro_usd = result.progress.cost_micro_usd;
  record_.totals.input_tokens = result.progress.input_tokens;
  record_.totals.output_tokens = result.progress.output_tokens;
  if (result.result_complete && !stop_.reason() && !plan_.part_path.empty()) {
    try {
      publish_result(plan_);
    } catch (const Error& error) {
      stop_.stop(error);
    }
  }
  JobEnd end;
  end.rejects_path = publish_rejects(result);
  remove_quietly(plan_.part_path);
  settle_status(result);
  warn_about(result);
  end.exit_code = exit_code(result);
  end.stop = stop_.reason();
  end.reader_has_left = end.stop && reader_has_left(*end.stop);
  if (result.result_complete && !end.stop) {
    end.output_path = plan_.path;
  }
  end.result = std::move(result);
  return end;
}

// Where the bad rows are; empty when there are none.
std::string JobSession::publish_rejects(const EngineResult& result) {
  if (rejects_.count() == 0) {
    return {};
  }
  std::string path = rejects_.path().string();
  if (!plan_.rejects_path.empty() && result.result_complete) {
    write_file_atomically(plan_.rejects_path, read_file(path, std::size_t{4} << 30), 0666);
    path = plan_.rejects_path;
  }
  return path;
}

void JobSession::warn_about(const EngineResult& result) {
  const std::uint64_t padded = source_->padded_rows();
  if (padded != 0) {
    listener_.warning(fmt::format("{} had fewer fields than the header: the missing ones are empty",
                                  count_noun(padded, "row")));
  }
  if (result.in_doubt != 0) {
    listener_.warning(
        fmt::format("{} in flight when an earlier run was interrupted: in doubt, they may have "
                    "cost up to {} besides",
                    count_noun(result.in_doubt, result.in_doubt == 1 ? "row was" : "row")
                        .append(result.in_doubt == 1 ? "" : " were"),
                    usd_text(result.in_doubt_micro_usd)));
  }
  if (const auto lost = ledger_.lost_records(); lost != 0) {
    listener_.warning(
        fmt::format("{} in the ledger {} damaged: the rows without an answer were asked again",
                    count_noun(lost, "record"),
                    lost == 1 ? "was" : "were"));
  }
}

void JobSession::settle_status(const EngineResult& result) {
  const auto reason = stop_.reason();
  if (reason) {
    const ErrorCode code = reason->code();
    const bool goes_on = reader_has_left(*reason) || code == ErrorCode::interrupted ||
                         code == ErrorCode::terminated || error_kind(code).exit_code == 5;
    record_.status = goes_on ? JobStatus::interrupted : JobStatus::failed;
    record_.stop_code = reason->name();
    record_.stop_message = reason->message();
  } else {
    record_.status = result.progress.failed + result.progress.skipped == 0 ? JobStatus::succeeded
                                                                           : JobStatus::partial;
  }
  record_.finished_ms = SystemClock().wall_ms();
  try {
    directory_.save(record_);
  } catch (const Error& error) {
    stop_.stop(error);
  }
}

int JobSession::exit_code(const EngineResult& result) const {
  if (const auto reason = stop_.reason()) {
    return reader_has_left(*reason) ? 0 : reason->exit_code();
  }
  const bool all_ok = result.progress.failed + result.progress.skipped == 0;
  return all_ok || record_.settings.fail_on == FailOn::none
             ? 0
             : error_kind(ErrorCode::rows_failed).exit_code;
}

}  // namespace

JobEnd run_job(JobDirectory& directory,
               JobRecord& record,
               const JobStart& start,
               const JobSurroundings& surroundings,
               JobControl& control,
               JobListener& listener) {
  return JobSession(directory, record, start, surroundings, control, listener).run();
}

}  // namespace batchllm
