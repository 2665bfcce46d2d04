// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/commit_queue.h"

#include "core/crash_point.h"

#include <pthread.h>

namespace batchllm::sql {
namespace {

constexpr int k_wait_for_readers_ms = 100;

// Writes that come while a checkpoint syncs the file wait for it, many times as long as for a
// commit: a log that is not long yet waits for a pause.
constexpr std::chrono::milliseconds k_pause{100};
constexpr int k_wait_after_error_ms = 5000;

// The same failure for many threads: each gets an exception of its own, since whoever catches one
// may add the place to it.
std::exception_ptr own_copy(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const ConstraintError& error) {
    return std::make_exception_ptr(ConstraintError(error));
  } catch (const Error& error) {
    return std::make_exception_ptr(Error(error));
  } catch (...) {
    return failure;
  }
}

Error as_error(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(ErrorCode::internal, error.what());
  } catch (...) {
    return Error(ErrorCode::internal, "unknown exception");
  }
}

}  // namespace

CommitQueue::CommitQueue(Database database, CommitQueueOptions options)
    : options_(std::move(options)),
      line_(options_.max_writes, options_.max_bytes),
      database_(std::move(database)),
      path_(database_->path()),
      open_options_(database_->options()),
      next_checkpoint_pages_(options_.log_pages),
      next_truncation_bytes_(options_.log_limit_bytes),
      thread_([this] { run(); }) {}

CommitQueue::~CommitQueue() {
  stop();
}

void CommitQueue::stop() noexcept {
  line_.close();
  if (thread_.joinable()) {
    thread_.join();
  }
}

CommitQueueFigures CommitQueue::figures() const noexcept {
  return {writes_, commits_, failed_commits_, checkpoints_, log_bytes_};
}

void CommitQueue::run() noexcept {
  pthread_setname_np(pthread_self(), "db-writer");
  while (true) {
    WriteBatch batch =
        line_.take(is_checkpoint_due(options_.log_pages) ? std::optional(k_pause) : std::nullopt);
    if (batch.is_end) {
      break;
    }
    if (batch.count == 0) {
      care_for_log(options_.log_pages);
      continue;
    }
    try {
      commit_batch(batch);
    } catch (...) {
      fail_all(batch, std::current_exception());
    }
    release(batch);
    for (const auto& failure : std::exchange(unheard_, {})) {
      report(failure);
    }
    care_for_log(options_.busy_log_pages);
  }
  database_.reset();
}

void CommitQueue::commit_batch(WriteBatch& batch) {
  if (!database_ || database_->is_broken()) {
    open_again();
  }
  actions_.clear();
  std::uint64_t kept = 0;
  database_->prepare("BEGIN IMMEDIATE").run();
  for (PendingWrite* write = batch.first; write != nullptr; write = write->next) {
    if (run_write(*write, batch.count == 1)) {
      ++kept;
    } else if (write->is_posted) {
      unheard_.push_back(write->error);
    }
  }
  if (database_->in_transaction()) {
    crash_point(CrashPoint::batch_not_committed);
    database_->prepare("COMMIT").run();
    crash_point(CrashPoint::batch_committed);
  }
  if (kept > 0) {
    writes_ += kept;
    ++commits_;
    is_log_copied_ = false;
  }
  run_actions(actions_);
}

// False: it threw, and its changes are undone. Throws when the whole transaction is lost.
bool CommitQueue::run_write(PendingWrite& write, bool is_alone) {
  const std::size_t actions_before = actions_.size();
  // Alone, the transaction is its savepoint.
  if (!is_alone) {
    database_->prepare("SAVEPOINT write").run();
  }
  try {
    Transaction transaction(*database_, actions_);
    write.run(transaction);
  } catch (...) {
    write.error = std::current_exception();
  }
  if (!write.error) {
    if (!is_alone) {
      database_->prepare("RELEASE write").run();
    }
    return true;
  }
  actions_.resize(actions_before);
  // A full disk or an I/O error makes SQLite undo everything, with the writes of others.
  if (!database_->in_transaction() || database_->is_broken()) {
    std::rethrow_exception(own_copy(write.error));
  }
  if (is_alone) {
    database_->prepare("ROLLBACK").run();
  } else {
    database_->prepare("ROLLBACK TO write").run();
    database_->prepare("RELEASE write").run();
  }
  return false;
}

// After an I/O error. The log may hold pages that look written and are not on the disk (a failed
// fsync is not repeated by the system), and what is appended behind them would be lost with them:
// so the log is copied into the file, synced there, and begun anew.
void CommitQueue::open_again() {
  database_.reset();
  database_.emplace(Database::open(path_, Access::read_write, open_options_));
  database_->integer("SELECT count(*) FROM sqlite_schema");  // makes it look at the log
  if (!database_->checkpoint(Checkpoint::truncate, k_wait_after_error_ms)) {
    database_.reset();
    throw Error(ErrorCode::storage,
                path_ + " cannot be used again after an error: it is being read",
                "let the other process end, then try again");
  }
}

void CommitQueue::fail_all(WriteBatch& batch, const std::exception_ptr& reason) {
  ++failed_commits_;
  actions_.clear();
  unheard_.clear();
  unheard_.push_back(own_copy(reason));
  for (PendingWrite* write = batch.first; write != nullptr; write = write->next) {
    if (!write->error) {
      write->error = own_copy(reason);
    }
  }
  if (!database_) {
    return;
  }
  try {
    if (database_->in_transaction()) {
      database_->prepare("ROLLBACK").run();
    }
  } catch (const std::exception&) {
    database_.reset();  // opened again with the next batch
  }
}

void CommitQueue::run_actions(std::vector<Transaction::Action>& actions) noexcept {
  for (const auto& action : actions) {
    action();
  }
  actions.clear();
}

void CommitQueue::release(WriteBatch batch) noexcept {
  PendingWrite* write = batch.first;
  while (write != nullptr) {
    PendingWrite* next = write->next;
    if (write->is_posted) {
      delete write;
    }
    write = next;
  }
  line_.release(batch.number);
}

bool CommitQueue::is_checkpoint_due(std::int64_t from_pages) const noexcept {
  return database_ && !database_->is_broken() && !is_log_copied_ &&
         database_->log_pages() >= std::max(from_pages, next_checkpoint_pages_);
}

void CommitQueue::care_for_log(std::int64_t from_pages) noexcept {
  if (!database_ || database_->is_broken()) {
    return;
  }
  const std::int64_t pages = database_->log_pages();
  const std::int64_t bytes = pages * database_->page_bytes();
  log_bytes_ = bytes;
  const bool truncate = bytes >= next_truncation_bytes_;
  if (!truncate && !is_checkpoint_due(from_pages)) {
    return;
  }
  try {
    const bool complete =
        database_->checkpoint(truncate ? Checkpoint::truncate : Checkpoint::passive,
                              truncate ? k_wait_for_readers_ms : 0);
    ++checkpoints_;
    is_log_copied_ = complete;
    // A reader keeps the log from starting over: try again when it has grown by as much again.
    next_checkpoint_pages_ = complete ? options_.log_pages : pages + options_.log_pages;
    next_truncation_bytes_ = options_.log_limit_bytes + (truncate && !complete ? bytes : 0);
    log_bytes_ = database_->log_pages() * database_->page_bytes();
  } catch (const std::exception&) {
    next_checkpoint_pages_ = pages + options_.log_pages;
    report(std::current_exception());
  }
}

void CommitQueue::report(const std::exception_ptr& failure) noexcept {
  if (options_.on_failure) {
    options_.on_failure(as_error(failure));
  }
}

}  // namespace batchllm::sql
