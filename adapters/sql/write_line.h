// SPDX-License-Identifier: Apache-2.0
// Where writes wait for the commit queue's thread.
#pragma once

#include "adapters/sql/sqlite_database.h"
#include "core/mutex.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::sql {

// What a write gets: the writer's connection inside the transaction of its batch. Commit and roll
// back are not its business; throwing is how it undoes its changes.
class Transaction {
 public:
  using Action = std::function<void()>;

  Transaction(Database& database, std::vector<Action>& actions)
      : database_(database),
        actions_(actions) {}

  Database& database() noexcept { return database_; }

  operator Database&() noexcept { return database_; }  // NOLINT(google-explicit-constructor)

  Statement prepare(std::string_view sql) { return database_.prepare(sql); }

  // Runs on the writer thread once the changes are durable, before the caller of write() goes on;
  // not at all when they are undone. In the order of the writes. Must not throw and must not wait
  // for another write.
  void after_commit(Action action) { actions_.push_back(std::move(action)); }

 private:
  Database& database_;
  std::vector<Action>& actions_;
};

// A write in line. Of a waiting caller it lives on that thread's stack: nobody touches it after the
// release of its batch.
class PendingWrite {
 public:
  explicit PendingWrite(std::size_t size) noexcept : bytes(size) {}

  virtual ~PendingWrite() = default;
  PendingWrite(const PendingWrite&) = delete;
  PendingWrite& operator=(const PendingWrite&) = delete;
  virtual void run(Transaction& transaction) = 0;

  const std::size_t bytes;
  bool is_posted = false;  // nobody waits: the writer deletes it
  std::uint32_t batch = 0;
  PendingWrite* next = nullptr;
  std::exception_ptr error;
};

template <typename Work>
class WaitingWrite final : public PendingWrite {
 public:
  WaitingWrite(std::size_t size, Work work) : PendingWrite(size), work_(std::move(work)) {}

  void run(Transaction& transaction) override { work_(transaction); }

 private:
  Work work_;
};

template <typename Work>
class PostedWrite final : public PendingWrite {
 public:
  template <typename Source>
  PostedWrite(std::size_t size, Source&& work)
      : PendingWrite(size),
        work_(std::forward<Source>(work)) {
    is_posted = true;
  }

  void run(Transaction& transaction) override { work_(transaction); }

 private:
  Work work_;
};

// The writes of one commit, in the order in which they came.
struct WriteBatch {
  PendingWrite* first = nullptr;
  std::size_t count = 0;
  std::uint32_t number = 0;
  bool is_end = false;  // without writes: none will come
};

// Writes get the number of their batch when they come, so the callers of one batch sleep on one
// word and a single wake-up frees them all. Thread rule: push* from any thread, the rest by the
// writer.
class WriteLine {
 public:
  WriteLine(std::size_t max_writes, std::size_t max_bytes)
      : max_writes_(max_writes),
        max_bytes_(max_bytes) {}

  // Returns after release() of the write's batch; throws the write's error then. Throws
  // Error(daemon_unreachable) after close().
  void push_and_wait(PendingWrite& write);
  void push(std::unique_ptr<PendingWrite> write);

  // Waits for writes, with `patience` no longer than that. A batch without writes: none came in
  // that time, or the line is closed and empty.
  WriteBatch take(std::optional<std::chrono::milliseconds> patience);

  // The callers of the batch go on.
  void release(std::uint32_t batch) noexcept;

  // No more comes in; what is in stays.
  void close() noexcept;

 private:
  std::uint32_t add(PendingWrite& write);

  const std::size_t max_writes_;
  const std::size_t max_bytes_;

  std::mutex mutex_;
  std::condition_variable arrival_;
  PendingWrite* first_ = nullptr;
  PendingWrite* last_ = nullptr;
  std::uint32_t open_batch_ = 0;  // what comes now belongs to
  std::size_t open_writes_ = 0;
  std::size_t open_bytes_ = 0;
  bool writer_waits_ = false;
  bool is_closed_ = false;

  // The newest released batch of even and of odd number: those who wait for the next batch are not
  // woken by this one.
  std::atomic<std::uint32_t> released_[2] = {UINT32_MAX - 1, UINT32_MAX};
};

}  // namespace batchllm::sql
