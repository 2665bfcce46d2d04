// SPDX-License-Identifier: Apache-2.0
#include "cli/job_runner.h"

#include "adapters/http/connection_limit.h"
#include "adapters/http/http_loop.h"
#include "adapters/stream/raw_bytes.h"
#include "cli/composition.h"
#include "cli/cost_estimate.h"
#include "cli/job_report.h"
#include "cli/progress_view.h"
#include "cli/row_sample.h"
#include "cli/run_summary.h"
#include "cli/stop_signals.h"
#include "core/atomic_file.h"
#include "core/engine.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
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

// Makes the failed rows of earlier runs open again.
void reopen_failed_rows(const JobDirectory& directory,
                        const JobStart& start,
                        Ledger& ledger,
                        Manifest& manifest) {
  std::vector<std::uint64_t> numbers;
  for (const std::uint64_t number : Ledger::shards_in(directory.folder())) {
    const auto sealed = manifest.shards().find(number);
    if (sealed == manifest.shards().end() ||
        sealed->second.totals.failed + sealed->second.totals.skipped != 0) {
      numbers.push_back(number);
    }
  }
  for (const std::uint64_t number : numbers) {
    std::set<std::uint64_t> rows;
    scan_ledger(Ledger::shard_path(directory.folder(), number),
                [&](std::uint64_t, std::string_view line, const LineGlance& seen) {
                  rows.erase(seen.row_index);
                  if (seen.status == RowStatus::ok) {
                    return;
                  }
                  const auto outcome = read_outcome_line(line);
                  if (outcome &&
                      (start.retry_only.empty() || start.retry_only.contains(outcome->failure))) {
                    rows.insert(seen.row_index);
                  }
                });
    if (rows.empty()) {
      continue;
    }
    manifest.reopen(number);
    ledger.open_shard(number);
    for (const std::uint64_t row : rows) {
      ledger.reopen(row);
    }
  }
}

// Puts the finished result under its name. With `refuse`, a file that appeared meanwhile stays.
void publish(const std::string& part, const std::string& target, bool may_replace) {
  if (!may_replace) {
    if (link(part.c_str(), target.c_str()) == 0) {
      unlink(part.c_str());
      sync_folder(fs::path(target).parent_path());
      return;
    }
    if (errno == EEXIST) {
      throw Error(ErrorCode::output_exists,
                  fmt::format("{} has appeared meanwhile", target),
                  "every answer is saved: write them elsewhere with batchllm results export");
    }
  }
  if (std::rename(part.c_str(), target.c_str()) != 0) {
    throw_storage_error("rename", part, errno);
  }
  sync_folder(fs::path(target).parent_path());
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
             const EnvironmentLookup& environment,
             Ui& ui)
      : directory_(directory),
        record_(record),
        start_(start),
        ui_(ui),
        model_(make_model(record.settings, environment, true)),
        inputs_(record, directory.folder().string()),
        source_(inputs_.open_first()),
        encoder_(make_encoder(record, *source_, *model_.provider)),
        plan_(plan_output(record, *source_)),
        ledger_(directory.folder(), record.id),
        manifest_(directory.manifest_path()),
        rejects_(directory.rejects_path(), input_names(record)) {
    is_saved_ = start.is_new && record_.output_path == plan_.path;
    record_.output_path = plan_.path;
    check_appending(record, plan_, *source_);
    const auto columns = record.settings.output.order == RowOrder::completion &&
                                 record.settings.output.columns.empty() && !source_->is_open_ended()
                             ? source_->columns()
                             : std::vector<std::string>{};
    encoder_->need_columns(columns);
    source_->select(encoder_->columns());
    encoder_->bind(encoder_->columns());
  }

  int run();

 private:
  EngineSettings engine_settings(std::stop_token stop);
  void announce();
  int finish(const EngineResult& result);
  void settle_status(const EngineResult& result);
  int exit_code(const EngineResult& result) const;

  JobDirectory& directory_;
  JobRecord& record_;
  const JobStart& start_;
  Ui& ui_;
  JobModel model_;
  JobInputs inputs_;
  std::unique_ptr<InputSource> source_;
  std::unique_ptr<ChatRowEncoder> encoder_;
  OutputPlan plan_;
  Ledger ledger_;
  Manifest manifest_;
  RejectLog rejects_;
  StopReason stop_;
  bool is_saved_ = false;  // as it is now
};

int JobSession::run() {
  if (start_.retries_failed) {
    reopen_failed_rows(directory_, start_, ledger_, manifest_);
  }
  record_.status = JobStatus::running;
  record_.stop_code.clear();
  record_.stop_message.clear();
  if (!is_saved_) {
    directory_.save(record_);
  }
  open_unsealed_shards(ledger_, manifest_, directory_.folder());
  announce();

  const auto wanted = static_cast<std::size_t>(record_.settings.limits.concurrency);
  const std::size_t allowed = allow_connections(wanted);
  if (allowed < wanted) {
    ui_.messages().warning(fmt::format(
        "the limit of open files allows {} rows in flight, not {} (ulimit -n)", allowed, wanted));
  }
  HttpLoopSettings http;
  http.endpoint = model_.provider->endpoint();
  http.capacity = std::min(wanted, allowed);
  const auto transport = make_http_loop(http);
  const SystemClock clock;
  std::stop_source signalled;
  const StopSignals signals(signalled, ui_.options().progress == ProgressMode::bar ? "\n" : "");
  const std::stop_callback on_signal(signalled.get_token(), [&] {
    stop_.stop(Error(signals.error_code(), "interrupted"));
    ui_.messages().note("Stopping: waiting for the answers in flight. Once more stops at once.");
  });

  ProgressView view(ui_.options().progress, standard_error_output(ui_.terminal()));
  ui_.messages().print_through([&view](std::string_view lines) { view.message(lines); });
  Engine engine({*source_,
                 *encoder_,
                 *model_.provider,
                 *transport,
                 ledger_,
                 manifest_,
                 rejects_,
                 clock,
                 stop_},
                engine_settings(signalled.get_token()));
  EngineResult result;
  try {
    result =
        engine.run([&](const ProgressSnapshot& snapshot) { view.show(snapshot, clock.now()); });
  } catch (...) {
    ui_.messages().print_through({});
    throw;
  }
  view.finish(result.progress);
  ui_.messages().print_through({});
  return finish(result);
}

EngineSettings JobSession::engine_settings(std::stop_token stop) {
  const JobSettings& settings = record_.settings;
  EngineSettings engine;
  engine.lane.concurrency = settings.limits.concurrency;
  engine.lane.max_attempts = static_cast<std::uint32_t>(settings.limits.max_attempts);
  engine.lane.requests_per_minute = settings.limits.requests_per_minute;
  engine.lane.tokens_per_minute = settings.limits.tokens_per_minute;
  engine.lane.seed = std::random_device{}();
  engine.dispatcher.request_timeout = Milliseconds(settings.limits.request_timeout_ms);
  engine.dispatcher.price = model_.price;
  engine.dispatcher.worst_case_output_tokens = model_.worst_case_output_tokens;
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
      ui_.messages().warning(warning);
    }
  }
  for (const auto& warning : encoder_->warnings()) {
    ui_.messages().warning(warning);
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
    const CostEstimate estimate = estimate_cost(record_, inputs_, model_).without(done);
    text += fmt::format(": {}{}",
                        done == 0 ? "" : fmt::format("{} done, to go: ", count_noun(done, "row")),
                        describe_estimate(estimate, record_.settings.limits.max_cost_micro_usd));
  }
  ui_.messages().note(fmt::format("{} ({})", text, record_.id));
  if (plan_.path != "-" && record_.settings.output.path.empty()) {
    ui_.messages().note(fmt::format("Results go to {}", printable(plan_.path)));
  }
}

int JobSession::finish(const EngineResult& result) {
  record_.totals = {};
  record_.totals.ok = result.progress.ok;
  record_.totals.failed = result.progress.failed;
  record_.totals.skipped = result.progress.skipped;
  record_.totals.cost_micro_usd = result.progress.cost_micro_usd;
  record_.totals.input_tokens = result.progress.input_tokens;
  record_.totals.output_tokens = result.progress.output_tokens;
  if (result.result_complete && !stop_.reason() && !plan_.part_path.empty()) {
    try {
      const bool may_replace = record_.settings.output.conflict != OutputConflict::refuse;
      publish(plan_.part_path, plan_.path, may_replace);
    } catch (const Error& error) {
      stop_.stop(error);
    }
  }
  std::string rejects;
  if (rejects_.count() != 0) {
    rejects = rejects_.path().string();
    if (!plan_.rejects_path.empty() && result.result_complete) {
      write_file_atomically(plan_.rejects_path, read_file(rejects, std::size_t{4} << 30), 0666);
      rejects = plan_.rejects_path;
    }
  }
  remove_quietly(plan_.part_path);
  settle_status(result);
  const std::uint64_t padded = source_->padded_rows();
  if (padded != 0) {
    ui_.messages().warning(
        fmt::format("{} had fewer fields than the header: the missing ones are empty",
                    count_noun(padded, "row")));
  }
  if (result.in_doubt != 0) {
    ui_.messages().warning(
        fmt::format("{} in flight when an earlier run was interrupted: in doubt, they may have "
                    "cost up to {} besides",
                    count_noun(result.in_doubt, result.in_doubt == 1 ? "row was" : "row")
                        .append(result.in_doubt == 1 ? "" : " were"),
                    usd_text(result.in_doubt_micro_usd)));
  }
  if (const auto lost = ledger_.lost_records(); lost != 0) {
    ui_.messages().warning(
        fmt::format("{} in the ledger {} damaged: the rows without an answer were asked again",
                    count_noun(lost, "record"),
                    lost == 1 ? "was" : "were"));
  }
  const int code = exit_code(result);
  if (const auto reason = stop_.reason(); reason && reader_has_left(*reason)) {
    return code;
  }
  report_run({record_,
              result,
              stop_.reason(),
              result.result_complete && !stop_.reason() ? plan_.path : "",
              rejects,
              code},
             ui_);
  return code;
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

bool is_same_file(const InputFingerprint& before, const InputFingerprint& now) {
  return before.bytes == now.bytes && before.modified_ns == now.modified_ns &&
         before.changed_ns == now.changed_ns && before.inode == now.inode &&
         before.device == now.device;
}

// The digest of the first `bytes` bytes of the file as it is now.
std::optional<std::uint64_t> digest_now(const std::string& path, std::uint64_t bytes) {
  const auto raw = with_digest(open_raw_file(path));
  std::vector<char> block(std::size_t{1} << 20);
  std::uint64_t left = bytes;
  while (left != 0) {
    const std::size_t got = raw->read(
        block.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size())));
    if (got == 0) {
      return std::nullopt;
    }
    left -= got;
  }
  const auto digest = raw->prefix_digest();
  return digest ? std::optional(digest->xxh3) : std::nullopt;
}

[[noreturn]] void refuse_changed(const JobRecord& record,
                                 const std::string& path,
                                 const std::string& what) {
  throw Error(
      ErrorCode::input_changed,
      fmt::format("{} has changed since {} began: {}", path, record.id, what),
      fmt::format(
          "put the file back as it was, or start anew with: batchllm run … --new-job; what is "
          "answered can be had with: batchllm results export {}",
          record.id));
}

}  // namespace

void check_inputs_unchanged(const JobDirectory& directory, const JobRecord& record) {
  const Manifest manifest(directory.manifest_path());
  for (std::size_t i = 0; i < record.inputs.size(); ++i) {
    const InputFingerprint& before = record.inputs[i];
    if (before.from_stdin) {
      continue;
    }
    const InputFingerprint now = fingerprint_input(before.path);
    if (is_same_file(before, now)) {
      continue;
    }
    if (before.bytes != now.bytes) {
      refuse_changed(
          record,
          before.path,
          fmt::format(
              "it had {}, now {}", count_noun(before.bytes, "byte"), with_thousands(now.bytes)));
    }
    const auto known = manifest.digests().find(static_cast<std::uint32_t>(i));
    if (known == manifest.digests().end() || known->second.bytes != before.bytes) {
      refuse_changed(
          record, before.path, "it was written to, and its earlier content is not known in full");
    }
    if (digest_now(before.path, known->second.bytes) != known->second.xxh3) {
      refuse_changed(record, before.path, "its content is another one");
    }
  }
}

int run_job(JobDirectory& directory,
            JobRecord& record,
            const JobStart& start,
            const EnvironmentLookup& environment,
            Ui& ui) {
  return JobSession(directory, record, start, environment, ui).run();
}

}  // namespace batchllm
