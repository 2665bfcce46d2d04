// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.h"
#include "core/file_handle.h"
#include "daemon/queue/job_leases.h"
#include "daemon/queue/job_store.h"
#include "daemon/scheduler/disk_room.h"
#include "daemon/scheduler/worker_process.h"
#include "daemon/scheduler/worker_program.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace batchllm::daemon {

struct SchedulerSettings {
  std::filesystem::path state_dir;
  std::int64_t max_running_jobs = 8;
  std::int64_t max_running_tasks = 8;       // and calls of /process
  std::int64_t lane_concurrency = 256;      // rows in flight in one lane, all jobs together
  std::chrono::milliseconds lease{30'000};  // a worker that says nothing for so long is gone
  std::chrono::milliseconds idle_worker{10'000};
  Backoff backoff;
  std::vector<std::string> key_variables;  // of the environment: what any job may name for its key
  std::vector<std::string> model_files;    // what workers know models from, see ModelCatalog::load
};

// Called when a job begins: sees that its inputs are in place, and returns the secrets that its
// worker is to know, as variable and value, which are kept nowhere. An Error is what the job fails
// with.
using PrepareRun =
    std::function<std::vector<std::pair<std::string, std::string>>(const QueuedJob& job)>;

// Something that happens at a time, beside jobs: schedules, retention, backups. On the scheduler's
// thread.
class Chore {
 public:
  virtual ~Chore() = default;

  // Does what is due and says when it wants to be asked again, on the wall clock; nullopt: when
  // something changes.
  virtual std::optional<std::int64_t> do_due(std::int64_t now_ms) = 0;
};

struct SchedulerFigures {
  std::size_t workers = 0;
  std::size_t running = 0;
};

// Gives queued jobs to workers, looks after the workers' lives, deals out the lanes. One thread
// that sleeps until something is to be done; it is not woken when nothing is.
//
// Thread rule: wake, note_wishes, drain, figures from any thread.
class Scheduler {
 public:
  // `store` and `program` outlive the scheduler.
  Scheduler(JobStore& store,
            const WorkerProgram& program,
            SchedulerSettings settings,
            PrepareRun prepare_run);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  Scheduler(Scheduler&&) = delete;
  Scheduler& operator=(Scheduler&&) = delete;

  // Before start. `chore` outlives the scheduler.
  void add_chore(Chore& chore) { chores_.push_back(&chore); }

  // Before start: who knows whether the disk has room; outlives the scheduler. Without it every
  // look finds some.
  void ask_for_room(DiskRoom& disk) { disk_ = &disk; }

  // Takes up what a daemon before left behind, then begins.
  void start();

  // There may be something new to run.
  void wake() noexcept;

  // Somebody wants something of a job that may be running.
  void note_wishes() noexcept;

  // The settings from now on; what runs keeps its worker.
  void change_settings(const SchedulerSettings& settings);

  // Begins nothing more, stops what runs and waits until it has saved its answers; workers that
  // take longer than `patience` are killed. Ends the thread.
  void drain(std::chrono::milliseconds patience);

  SchedulerFigures figures() const noexcept;

 private:
  using Time = std::chrono::steady_clock::time_point;
  using SavedWork = std::function<void(JobTable&)>;
  struct Post;

  void run();
  bool do_what_is_due();
  void recover();
  void begin_jobs();
  bool begin_job(JobKind kind);
  Post* idle_worker();
  void give(Post& post, const QueuedJob& job);
  void refuse(Post& post, const QueuedJob& job, const Error& error);
  void deal_lanes();
  void look_for_wishes();
  void take_reports(Post& post);
  void take(Post& post, const AliveReport& report);
  void take(Post& post, const EndReport& report);
  void take(Post& post, const TextReport& report);
  void save_texts(Time now);
  void lose(Post& post, std::string_view reason);
  void retry_unsaved();
  void check_leases(Time now);
  void close_idle_workers(Time now);
  void stop_everything(Time now);
  void wait_for_space() noexcept;
  void go_on_when_there_is_space();
  void do_chores();
  void forget_dead();
  std::optional<Time> next_time() const;
  void sleep();
  std::int64_t running(JobKind kind) const;
  void leave_job(Post& post);
  void set_wall_timer();
  bool save(const SavedWork& work);

  JobStore& store_;
  const WorkerProgram& program_;
  SchedulerSettings settings_;
  PrepareRun prepare_run_;
  std::vector<Chore*> chores_;
  DiskRoom* disk_ = nullptr;
  std::vector<std::unique_ptr<Post>> posts_;
  std::vector<SavedWork> unsaved_;           // what the disk had no room for
  std::optional<std::int64_t> wall_due_ms_;  // held jobs and chores
  std::optional<Time> space_check_at_;       // set: the disk is full
  bool has_stumbled_ = false;                // not all was done: again after a moment

  FileHandle epoll_;
  FileHandle wake_event_;
  FileHandle wall_timer_;
  std::atomic<bool> wishes_{false};
  std::atomic<bool> draining_{false};
  std::atomic<std::int64_t> patience_ms_{0};
  std::optional<Time> drain_until_;
  std::mutex settings_mutex_;
  std::optional<SchedulerSettings> new_settings_;
  std::atomic<std::size_t> worker_count_{0};
  std::atomic<std::size_t> running_count_{0};
  std::thread thread_;
};

}  // namespace batchllm::daemon
