// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_error.h"
#include "adapters/sql/sqlite_statement.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::sql {

enum class Access { read_write, read_only };

// What a commit promises. full: it survives a power cut. normal: it survives the end of the
// process; a power cut may take the newest commits, never the order.
enum class Durability { full, normal };

// write_ahead needs memory shared by all who have the file open, so one machine; rollback is for
// file systems that cannot do that, and there readers and the writer wait for each other. as_is:
// what the file says, for a look at a file that may not be ours.
enum class Journal { write_ahead, rollback, as_is };

enum class Checkpoint { passive, truncate };

struct OpenOptions {
  Durability durability = Durability::full;
  Journal journal = Journal::write_ahead;
  int cache_kib = 8000;  // at most, taken as needed
  std::string vfs;       // name of a registered SQLite VFS; empty: the system's
};

// One connection. Used by one thread at a time. The file is made (0600) when Access::read_write
// finds none; its folder must be there. Nothing checkpoints on its own: the commit queue does, and
// the last connection when it closes.
class Database {
 public:
  // Throws what throw_sqlite_error says. With read_write the journal is set, so a damaged header is
  // noticed here.
  static Database open(const std::filesystem::path& path,
                       Access access,
                       const OpenOptions& options = {});

  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  // The statement of this text, compiled once and kept. Texts with values pasted into them fill the
  // cache with statements that never come back: bind instead.
  Statement prepare(std::string_view sql);

  // Runs a script of any number of statements without parameters.
  void execute(const std::string& script);

  // prepare, bind_all, run; returns changes().
  template <typename... Values>
  std::int64_t run(std::string_view sql, const Values&... values) {
    Statement statement = prepare(sql);
    statement.bind_all(values...).run();
    return changes();
  }

  // The first column of the first row; nullopt: no row, or NULL.
  template <typename... Values>
  std::optional<std::int64_t> integer(std::string_view sql, const Values&... values) {
    Statement statement = prepare(sql);
    statement.bind_all(values...);
    return statement.step() ? statement.optional_integer(0) : std::nullopt;
  }

  template <typename... Values>
  std::optional<std::string> string(std::string_view sql, const Values&... values) {
    Statement statement = prepare(sql);
    statement.bind_all(values...);
    return statement.step() ? statement.optional_string(0) : std::nullopt;
  }

  // Rows that the latest INSERT, UPDATE or DELETE changed.
  std::int64_t changes() const noexcept;
  std::int64_t last_insert_id() const noexcept;
  bool in_transaction() const noexcept;

  // True after an I/O error: what the connection remembers of the file cannot be trusted.
  bool is_broken() const noexcept;

  // Pages in the write-ahead log after this connection's latest commit or checkpoint.
  std::int64_t log_pages() const noexcept;
  std::int64_t page_bytes() const noexcept;

  // Copies the log into the file, as far as readers allow; truncate waits for them (at most
  // `wait_ms`) and empties the log. True: everything was copied (and the log emptied).
  bool checkpoint(Checkpoint kind, int wait_ms = 0);

  // Gives memory that is only a cache back to the system.
  void release_memory() noexcept;

  const std::string& path() const noexcept;
  const OpenOptions& options() const noexcept;

 private:
  struct Connection;

  explicit Database(std::unique_ptr<Connection> connection) noexcept;

  std::unique_ptr<Connection> connection_;
};

// A transaction of one's own, for code that is not in the commit queue: undone unless committed.
class TransactionScope {
 public:
  enum class Kind { read, write };

  TransactionScope(Database& database, Kind kind);
  ~TransactionScope();
  TransactionScope(const TransactionScope&) = delete;
  TransactionScope& operator=(const TransactionScope&) = delete;

  void commit();

 private:
  Database& database_;
};

// The library's version: "3.40.1".
std::string sqlite_version();

}  // namespace batchllm::sql
