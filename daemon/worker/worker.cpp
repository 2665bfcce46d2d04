// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/worker.h"

#include "adapters/job/api_key.h"
#include "adapters/job/job_run.h"
#include "core/crash_point.h"
#include "core/directories.h"
#include "core/error.h"
#include "core/file_handle.h"
#include "core/job_directory.h"
#include "daemon/worker/job_environment.h"
#include "daemon/worker/line_channel.h"
#include "daemon/worker/transfer.h"
#include "daemon/worker/worker_message.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_sigmask
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): secure_getenv
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace batchllm::daemon {
namespace {

constexpr int k_pulse_ms = 500;
constexpr std::chrono::minutes k_patience_with_others{10};
constexpr std::chrono::milliseconds k_look_at_lock{50};

std::optional<std::string> process_variable(const std::string& name) {
  const char* value = secure_getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// What this worker does at the daemon's word. Any thread, but for run().
class Work {
 public:
  Work() = default;
  virtual ~Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  Work(Work&&) = delete;
  Work& operator=(Work&&) = delete;

  // Does it and says how it ended.
  virtual void run(const std::filesystem::path& state_dir) = 0;

  virtual void stop(const StopOrder& order) = 0;

  virtual void set_concurrency(std::int64_t /*rows*/) {}

  // Says that it goes on.
  virtual void pulse() {}
};

class Transfer final : public Work {
 public:
  Transfer(TransferOrder order, LineChannel& channel)
      : order_(std::move(order)),
        channel_(channel) {}

  void run(const std::filesystem::path& /*state_dir*/) override {
    channel_.send(worker_message_line(run_transfer(order_, stop_.get_token())));
  }

  void stop(const StopOrder& /*order*/) override { stop_.request_stop(); }

 private:
  TransferOrder order_;
  LineChannel& channel_;
  std::stop_source stop_;
};

// One job in the hands of this worker.
class Run final : public Work, public JobListener {
 public:
  Run(RunOrder order, LineChannel& channel) : order_(std::move(order)), channel_(channel) {}

  void note(std::string_view text) override { tell("info", text); }

  void warning(std::string_view text) override { tell("warning", text); }

  void progress(const ProgressSnapshot& snapshot) override {
    const std::lock_guard lock(mutex_);
    latest_ = snapshot;
  }

  void stop(const StopOrder& order) override {
    {
      const std::lock_guard lock(mutex_);
      if (!stopped_) {
        stopped_ = order.why;
      }
    }
    Error reason(ErrorCode::interrupted, "stopped");
    if (order.abandons_answers) {
      control_.abandon(std::move(reason));
    } else {
      control_.stop(std::move(reason));
    }
  }

  void set_concurrency(std::int64_t rows) override { control_.set_concurrency(rows); }

  void pulse() override {
    AliveReport report;
    report.job_id = order_.job_id;
    report.epoch = order_.epoch;
    {
      const std::lock_guard lock(mutex_);
      report.counts = counts();
      report.in_flight = latest_ ? static_cast<std::int64_t>(latest_->in_flight) : 0;
      report.rows_per_s = latest_ ? latest_->rows_per_s : 0;
    }
    channel_.send(worker_message_line(report));
  }

  void run(const std::filesystem::path& state_dir) override {
    EndReport report;
    report.job_id = order_.job_id;
    report.epoch = order_.epoch;
    try {
      report.ending = run_in(state_dir);
    } catch (const Error& error) {
      report.ending = faulty(fault_of(error), error.exit_code());
      const std::lock_guard lock(mutex_);
      if (stopped_ && error.code() == ErrorCode::interrupted) {
        report.ending.why = *stopped_;
        report.ending.fault.reset();
      }
    } catch (const std::exception& bug) {
      report.ending = faulty({"internal", bug.what(), ""}, 1);
    }
    crash_point(CrashPoint::run_ended);
    channel_.send(worker_message_line(report));
    crash_point(CrashPoint::end_reported);
  }

 private:
  RunEnding run_in(const std::filesystem::path& state_dir) {
    JobRecord record = parse_job_record(order_.record, order_.job_id);
    record.id = order_.job_id;
    record.created_ms = order_.created_ms;
    crash_point(CrashPoint::job_begun, record.settings.model.model);
    record.queued_by_daemon = true;
    JobStart start;
    start.most_concurrency = record.settings.limits.concurrency;
    record.settings.limits.concurrency = order_.concurrency;
    JobDirectory directory = open_directory(state_dir, record, start);
    JobSurroundings surroundings{
        ModelCatalog::load(order_.model_files), {}, &aws::ask_metadata_server};
    surroundings.environment = job_environment(
        order_, surroundings.models, !record.settings.model.base_url.empty(), &process_variable);
    // As the variables of providers: not for a server that somebody else names.
    if (order_.trusts_environment || record.settings.model.base_url.empty()) {
      surroundings.kept_keys =
          secrets::kept_keys(find_directories(&process_variable), &process_variable, {});
    }
    remember_environment_secrets(surroundings.models, &process_variable);
    const JobEnd end = run_job(directory, record, start, surroundings, control_, *this);
    RunEnding ending;
    ending.counts = counts_of(end.result.progress);
    ending.exit_code = end.exit_code;
    ending.is_partial = end.result.progress.failed + end.result.progress.skipped != 0;
    if (!end.stop) {
      return ending;
    }
    const std::lock_guard lock(mutex_);
    if (stopped_ && end.stop->code() == ErrorCode::interrupted) {
      ending.why = *stopped_;
    } else {
      ending.fault = fault_of(*end.stop);
    }
    return ending;
  }

  // The folder may be there: made by an earlier attempt, or by a retry with another job's ledger.
  JobDirectory open_directory(const std::filesystem::path& state_dir,
                              JobRecord& record,
                              JobStart& start) const {
    const std::filesystem::path folder = state_dir / "jobs" / record.id;
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) {
      start.is_new = true;
      return JobDirectory::create(state_dir, record);
    }
    JobDirectory directory = JobDirectory::open(state_dir, record.id);
    lock_when_free(directory);
    if (!std::filesystem::exists(folder / "job.json", error)) {
      // An attempt before this one ended when it had just made the folder.
      start.is_new = true;
      directory.save(record);
      return directory;
    }
    const JobRecord earlier = directory.load();
    record.output_path = earlier.output_path;
    record.status = earlier.status;
    start.retries_failed = order_.retries_failed;
    for (const std::string& name : order_.retry_only) {
      if (const auto failure = failure_from_name(name)) {
        start.retry_only.insert(*failure);
      }
    }
    return directory;
  }

  // The worker of a daemon that was killed waits for its answers in flight and keeps them: they are
  // not to be asked for again meanwhile.
  void lock_when_free(JobDirectory& directory) const {
    const auto until = std::chrono::steady_clock::now() + k_patience_with_others;
    while (true) {
      try {
        directory.lock();
        return;
      } catch (const Error& error) {
        if (error.code() != ErrorCode::job_locked || std::chrono::steady_clock::now() > until) {
          throw;
        }
      }
      if (control_.asked_to_stop().stop_requested()) {
        throw Error(ErrorCode::interrupted, "stopped");
      }
      std::this_thread::sleep_for(k_look_at_lock);
    }
  }

  RunEnding faulty(JobFault fault, int exit_code) {
    RunEnding ending;
    const std::lock_guard lock(mutex_);
    ending.fault = std::move(fault);
    ending.exit_code = exit_code;
    ending.counts = counts();
    return ending;
  }

  // What is on record before the run has looked at its ledger: the job has not become less.
  JobCounts counts() const { return latest_ ? counts_of(*latest_) : order_.counts; }

  void tell(std::string_view level, std::string_view text) {
    channel_.send(worker_message_line(
        TextReport{order_.job_id, order_.epoch, std::string(level), std::string(text)}));
  }

  RunOrder order_;
  LineChannel& channel_;
  JobControl control_;
  std::mutex mutex_;
  std::optional<ProgressSnapshot> latest_;
  std::optional<RunEnding::Why> stopped_;
};

class Worker {
 public:
  Worker(int descriptor, std::filesystem::path state_dir)
      : channel_(FileHandle(descriptor)),
        state_dir_(std::move(state_dir)) {}

  int serve() {
    std::thread listener([this] { listen(); });
    while (const auto work = next_work()) {
      work->run(state_dir_);
      const std::lock_guard lock(mutex_);
      if (current_ == work) {
        current_.reset();  // the next order may have come already
      }
    }
    listener.join();
    return 0;
  }

 private:
  // Takes the daemon's lines, and tells it that this process lives while a job runs.
  void listen() {
    bool lives = true;
    while (lives) {
      pollfd readable{channel_.descriptor(), POLLIN, 0};
      const int ready = poll(&readable, 1, current() ? k_pulse_ms : -1);
      if (ready > 0) {
        lives = channel_.receive();
        while (const auto line = channel_.next_line()) {
          take(*line);
        }
      }
      if (const auto work = current()) {
        work->pulse();
      }
    }
    if (const auto work = current()) {
      work->stop({RunEnding::Why::shut_down});
    }
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }

  void take(const std::string& line) {
    auto message = parse_worker_message(line);
    const auto work = current();
    if (auto* order = std::get_if<RunOrder>(&message)) {
      begin(std::make_shared<Run>(std::move(*order), channel_));
    } else if (auto* transfer = std::get_if<TransferOrder>(&message)) {
      begin(std::make_shared<Transfer>(std::move(*transfer), channel_));
    } else if (const auto* stop = std::get_if<StopOrder>(&message); stop != nullptr && work) {
      work->stop(*stop);
    } else if (const auto* rows = std::get_if<ConcurrencyOrder>(&message);
               rows != nullptr && work) {
      work->set_concurrency(rows->rows_in_flight);
    }
  }

  void begin(std::shared_ptr<Work> work) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(work);
    is_waiting_ = true;
    changed_.notify_all();
  }

  std::shared_ptr<Work> next_work() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_waiting_ || is_over_; });
    if (!is_waiting_) {
      return nullptr;
    }
    is_waiting_ = false;
    return current_;
  }

  std::shared_ptr<Work> current() {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  LineChannel channel_;
  std::filesystem::path state_dir_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Work> current_;  // shared by the thread that runs it and the one that listens
  bool is_waiting_ = false;        // `current_` was not begun yet
  bool is_over_ = false;
};

// The daemon says when to stop: what a terminal or a service manager sends to the whole group is
// for it. A file-size limit and a reader that left become errors of write().
void leave_signals_to_the_daemon() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ}) {
    ::signal(signal, SIG_IGN);
  }
}

// When memory runs out the system ends a worker, whose job is its own, before the daemon with its
// connections. Without the right to say so nothing is lost.
void offer_to_be_ended_first() {
  constexpr std::string_view k_adjustment = "500";
  const FileHandle file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file.is_open()) {
    static_cast<void>(write(file.get(), k_adjustment.data(), k_adjustment.size()) > 0);
  }
}

}  // namespace

int run_worker(int descriptor, const std::filesystem::path& state_dir) {
  leave_signals_to_the_daemon();
  prctl(PR_SET_NAME, "batchllm-worker");  // it was started by a descriptor's number
  offer_to_be_ended_first();
  return Worker(descriptor, state_dir).serve();
}

}  // namespace batchllm::daemon
