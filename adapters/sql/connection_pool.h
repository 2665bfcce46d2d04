// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace batchllm::sql {

// Read-only connections for many threads, opened when they are needed and kept. Reads are short (a
// page of at most 1,000 rows): as long as one lasts, the log cannot start over. Thread-safe.
class ConnectionPool {
 public:
  // At most `limit` connections; who comes then waits. The file must be there when the first is
  // taken.
  ConnectionPool(std::filesystem::path path, std::size_t limit, OpenOptions options = {});

  // Every lease has ended.
  ~ConnectionPool() = default;
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // A connection for one thread until the lease ends. A thread takes one at a time: a second could
  // wait for the first for ever.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          database_(std::move(other.database_)) {}

    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

    Database& operator*() noexcept { return database_; }

    Database* operator->() noexcept { return &database_; }

   private:
    friend class ConnectionPool;

    Lease(ConnectionPool& pool, Database database) noexcept
        : pool_(&pool),
          database_(std::move(database)) {}

    ConnectionPool* pool_;
    Database database_;
  };

  Lease lease();

  // Closes the connections that nobody uses, with the pages and statements that they keep.
  void close_idle() noexcept;

  // Runs work(Database&) in one read transaction: all its statements see the same moment, with
  // everything in it that was committed before.
  template <typename Work>
  auto read(Work&& work) {
    static_assert(!std::is_reference_v<std::invoke_result_t<Work&, Database&>>,
                  "what it refers to may be gone: return a value");
    Lease connection = lease();
    const TransactionScope transaction(*connection, TransactionScope::Kind::read);
    return work(*connection);
  }

 private:
  void take_back(Database database) noexcept;

  const std::filesystem::path path_;
  const OpenOptions options_;
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Database> idle_;
  std::size_t opened_ = 0;  // idle or leased
};

}  // namespace batchllm::sql
