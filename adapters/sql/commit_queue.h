// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"
#include "adapters/sql/write_line.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace batchllm::sql {

struct CommitQueueOptions {
  std::size_t max_writes = 512;                     // in one commit
  std::size_t max_bytes = std::size_t{8} << 20;     // in one commit, of the bytes the callers named
  std::int64_t log_pages = 1000;                    // checkpointed from here when nothing comes,
  std::int64_t busy_log_pages = 4000;               // and from here in any case
  std::int64_t log_limit_bytes = 64 * 1024 * 1024;  // the log is emptied, waiting for readers

  // Called on the writer thread, after the waiting callers have their error: a commit failed, or a
  // write of post(), or a checkpoint. For the daemon to react to storage_full. Must not throw.
  std::function<void(const Error&)> on_failure;
};

struct CommitQueueFigures {
  std::uint64_t writes = 0;  // committed
  std::uint64_t commits = 0;
  std::uint64_t failed_commits = 0;
  std::uint64_t checkpoints = 0;
  std::int64_t log_bytes = 0;
};

// The one writer of a database: a thread that puts what waits into one transaction, commits it and
// only then lets the callers go (group commit). It is the only one that checkpoints, too: SQLite
// before 3.51.3 may damage a file that two connections write and checkpoint at the same moment.
//
// Thread rule: write, post, figures from any thread, write not from within a write or after_commit.
// Deferred constraints would fail their neighbours at COMMIT: the schema has none.
class CommitQueue {
 public:
  explicit CommitQueue(Database database, CommitQueueOptions options = {});

  // Commits everything that waits.
  ~CommitQueue();
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  // Runs work(Transaction&) (or work(Database&)) on the writer thread and waits until its changes
  // are durable; returns what it returned. What it throws undoes its changes alone and is thrown
  // here. Throws Error(storage_full), Error(storage) or Error(database_corrupt) when the commit
  // failed: nothing of it is to be counted on, though after an I/O error it may have happened.
  // `bytes` is about what it writes, when that is much.
  template <typename Work>
  auto write(Work&& work, std::size_t bytes = 0);

  // As write, but nobody waits: errors go to on_failure.
  template <typename Work>
  void post(Work&& work, std::size_t bytes = 0);

  // Commits what waits, and ends: later writes throw Error(daemon_unreachable).
  void stop() noexcept;

  CommitQueueFigures figures() const noexcept;

 private:
  void run() noexcept;
  void commit_batch(WriteBatch& batch);
  bool run_write(PendingWrite& write, bool is_alone);
  void open_again();
  void fail_all(WriteBatch& batch, const std::exception_ptr& reason);
  void run_actions(std::vector<Transaction::Action>& actions) noexcept;
  void release(WriteBatch batch) noexcept;
  bool is_checkpoint_due(std::int64_t from_pages) const noexcept;
  void care_for_log(std::int64_t from_pages) noexcept;
  void report(const std::exception_ptr& failure) noexcept;

  const CommitQueueOptions options_;
  WriteLine line_;

  // Writer thread only.
  std::optional<Database> database_;
  const std::string path_;
  const OpenOptions open_options_;
  std::vector<Transaction::Action> actions_;
  std::vector<std::exception_ptr> unheard_;
  bool is_log_copied_ = false;
  std::int64_t next_checkpoint_pages_ = 0;
  std::int64_t next_truncation_bytes_ = 0;

  std::atomic<std::uint64_t> writes_ = 0;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> failed_commits_ = 0;
  std::atomic<std::uint64_t> checkpoints_ = 0;
  std::atomic<std::int64_t> log_bytes_ = 0;

  std::thread thread_;  // last: it uses the rest
};

template <typename Work>
auto CommitQueue::write(Work&& work, std::size_t bytes) {
  using Value = std::invoke_result_t<Work&, Transaction&>;
  static_assert(!std::is_reference_v<Value>, "what it refers to may be gone: return a value");
  if constexpr (std::is_void_v<Value>) {
    WaitingWrite pending(bytes, [&work](Transaction& transaction) { work(transaction); });
    line_.push_and_wait(pending);
  } else {
    std::optional<Value> value;
    WaitingWrite pending(
        bytes, [&work, &value](Transaction& transaction) { value.emplace(work(transaction)); });
    line_.push_and_wait(pending);
    return std::move(*value);
  }
}

template <typename Work>
void CommitQueue::post(Work&& work, std::size_t bytes) {
  line_.push(std::make_unique<PostedWrite<std::decay_t<Work>>>(bytes, std::forward<Work>(work)));
}

}  // namespace batchllm::sql
