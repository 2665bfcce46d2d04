// SPDX-License-Identifier: Apache-2.0
// The daemon's queue in a scratch folder, with a clock that stands still until a test moves it.
#pragma once

#include "adapters/sql/commit_queue.h"
#include "adapters/sql/sqlite_database.h"
#include "daemon/queue/event_hub.h"
#include "daemon/queue/job_leases.h"
#include "daemon/queue/job_queue.h"
#include "daemon/queue/job_table.h"
#include "tests/support/scratch_folder.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace batchllm::daemon {

constexpr std::int64_t k_test_lease_ms = 30'000;

// A submission as the API makes one: with a record that can be read.
Submission a_submission(std::string project = "default");

// How runs end.
RunEnding finished_run(std::int64_t ok = 3);
RunEnding partial_run();
RunEnding stopped_run(RunEnding::Why why);
RunEnding faulty_run(std::string code);  // with the exit code of that error

// Each write is a transaction of its own, durable enough for the test, and after each the whole of
// what it touched is checked: the events of a job are numbered without gaps and tell what is stored
// beside them, a running job has an owner, a lease and one open attempt, the usage adds up, and
// nobody waits for a job that has ended.
class QueueDatabase {
 public:
  QueueDatabase();

  template <typename Work>
  auto write(Work&& work) {
    using Value = std::invoke_result_t<Work&, JobTable&>;
    if constexpr (std::is_void_v<Value>) {
      in_transaction([&work](JobTable& jobs) { work(jobs); });
    } else {
      std::optional<Value> value;
      in_transaction([&](JobTable& jobs) { value.emplace(work(jobs)); });
      return *std::move(value);
    }
  }

  sql::Database& database() { return database_; }

  EventHub& hub() { return hub_; }

  QueuedJob job(const std::string& id) { return require_job(database_, id); }

  // "job.queued", "job.started", … of the job.
  std::vector<std::string> event_types(const std::string& id);

  // The stored payload of the job's newest event.
  JobEventData last_event(const std::string& id);

  QueuedJob submit(Submission submission = a_submission());
  QueuedJob submit_after(const std::string& id, DependencyCondition condition);
  std::optional<QueuedJob> claim(std::string_view worker = "worker:1", JobKind kind = JobKind::job);
  std::optional<QueuedJob> end(const QueuedJob& claimed, const RunEnding& ending);
  std::optional<QueuedJob> rescue(const QueuedJob& claimed,
                                  std::string_view reason = "worker_died");
  QueuedJob cancel(const std::string& id);
  QueuedJob pause(const std::string& id);
  QueuedJob resume(const std::string& id, std::optional<std::int64_t> max_cost = std::nullopt);
  QueuedJob answer(const std::string& id, std::string_view answer);
  int release_due(int limit = 100);

  void add_project(std::string_view name, std::optional<std::int64_t> max_running);

  // What SQLite itself says of the file: checks, foreign keys, indexes.
  void check_file();

  std::int64_t now_ms = 1'800'000'000'000;
  Backoff backoff;

 private:
  void in_transaction(const std::function<void(JobTable&)>& work);
  void check_touched();
  void check_job(const std::string& id);

  ScratchFolder folder_;
  sql::Database database_;
  EventHub hub_;
  std::map<std::string, std::int64_t> checked_;  // by job, the event number it was checked at
};

}  // namespace batchllm::daemon
