// SPDX-License-Identifier: Apache-2.0
// A queue on disk without a daemon around it.
#pragma once

#include "adapters/sql/sqlite_migrations.h"
#include "daemon/queue/job_queue.h"
#include "daemon/queue/job_store.h"
#include "daemon/queue/queue_schema.h"
#include "tests/support/scratch_folder.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

namespace batchllm::daemon {

class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Milliseconds(wall_ms_.load())); }

  std::int64_t wall_ms() const override { return wall_ms_; }

  void set(std::int64_t wall_ms) { wall_ms_ = wall_ms; }

 private:
  std::atomic<std::int64_t> wall_ms_{0};
};

class TestQueue {
 public:
  TestQueue()
      : path_(folder_.path("queue.db")),
        writer_(sql::open_migrated(path_, queue_migrations(), {})),
        readers_(path_, 4),
        store_(writer_, readers_, hub_, clock_) {}

  JobStore& store() { return store_; }

  ManualClock& clock() { return clock_; }

  const ScratchFolder& folder() const { return folder_; }

  const std::string& path() const { return path_; }

  static Submission submission() {
    Submission submission;
    submission.job.project = "default";
    submission.job.tags = "{}";
    submission.job.record = "{}";
    return submission;
  }

  QueuedJob submit(const Submission& submission) {
    return store_.write([&](JobTable& jobs) { return submit_job(jobs, submission, "user:1"); });
  }

  QueuedJob job(const std::string& id) {
    return store_.read([&](sql::Database& database) { return require_job(database, id); });
  }

  void cancel(const std::string& id) {
    store_.write([&](JobTable& jobs) { cancel_job(jobs, id, "user:1"); });
  }

  std::int64_t number(const std::string& sql) {
    return store_.read([&](sql::Database& database) { return database.integer(sql).value_or(-1); });
  }

 private:
  ScratchFolder folder_;
  std::string path_;
  ManualClock clock_;
  sql::CommitQueue writer_;
  sql::ConnectionPool readers_;
  EventHub hub_;
  JobStore store_;
};

// What wakes the scheduler; a chore's work is over when it was called.
class Bell {
 public:
  std::function<void()> ring() {
    return [this] {
      const std::lock_guard lock(mutex_);
      ++rung_;
      changed_.notify_all();
    };
  }

  // Until it was rung once more than at the call before.
  void wait() {
    std::unique_lock lock(mutex_);
    ++heard_;
    changed_.wait(lock, [this] { return rung_ >= heard_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int rung_ = 0;
  int heard_ = 0;
};

}  // namespace batchllm::daemon
