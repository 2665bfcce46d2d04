// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/sqlite_database.h"

#include "adapters/sql/statement_cache.h"
#include "core/atomic_file.h"
#include "core/file_handle.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace batchllm::sql {
namespace {

constexpr int k_busy_timeout_ms = 5000;
constexpr int k_log_limit_bytes = 64 << 20;

struct CloseConnection {
  void operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }
};

using ConnectionHandle = std::unique_ptr<sqlite3, CloseConnection>;

// SQLite would make it readable for the group; its log and shared memory take over its mode. Only a
// file that is not there is touched: opening and closing one that SQLite has open drops its locks.
void make_private_file(const std::string& path) {
  const FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open() && errno != EEXIST) {
    throw_storage_error("create", path, errno);
  }
  if (file.is_open()) {
    sync_folder(std::filesystem::path(path).parent_path());
  }
}

}  // namespace

struct Database::Connection {
  Connection(ConnectionHandle opened, std::string file, OpenOptions chosen)
      : handle(std::move(opened)),
        path(std::move(file)),
        options(std::move(chosen)),
        statements(handle.get(), path) {
    sqlite3_wal_hook(
        handle.get(),
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<Connection*>(self)->log_pages = pages;
          return SQLITE_OK;
        },
        this);
  }

  void check(int code) {
    if (code != SQLITE_OK) {
      statements.fail(code);
    }
  }

  void choose_journal() {
    const std::string wanted = options.journal == Journal::write_ahead ? "wal" : "delete";
    Statement choice = statements.lend("PRAGMA journal_mode=" + wanted);
    const bool has_answer = choice.step();
    if (!has_answer || choice.text(0) != wanted) {
      throw Error(ErrorCode::storage,
                  fmt::format("the database {} cannot use the {} journal here", path, wanted),
                  "choose a folder on a local disk with --state-dir");
    }
    choice.reset();
    check(sqlite3_exec(handle.get(),
                       fmt::format("PRAGMA synchronous={}; PRAGMA journal_size_limit={};",
                                   options.durability == Durability::full ? "FULL" : "NORMAL",
                                   k_log_limit_bytes)
                           .c_str(),
                       nullptr,
                       nullptr,
                       nullptr));
    Statement size = statements.lend("PRAGMA page_size");
    page_bytes = size.step() ? size.integer(0) : page_bytes;
  }

  ConnectionHandle handle;
  std::string path;
  OpenOptions options;
  StatementCache statements;
  std::int64_t log_pages = 0;
  std::int64_t page_bytes = 4096;
};

Database::Database(std::unique_ptr<Connection> connection) noexcept
    : connection_(std::move(connection)) {}

Database::Database(Database&& other) noexcept = default;
Database& Database::operator=(Database&& other) noexcept = default;
Database::~Database() = default;

Database Database::open(const std::filesystem::path& path,
                        Access access,
                        const OpenOptions& options) {
  const bool writes = access == Access::read_write;
  if (writes) {
    make_private_file(path.string());
  }
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(),
                      &opened,
                      (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) |
                          SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      options.vfs.empty() ? nullptr : options.vfs.c_str());
  ConnectionHandle handle(opened);
  if (code != SQLITE_OK) {
    throw_sqlite_error(handle.get(), code, path.string());
  }
  sqlite3_busy_timeout(handle.get(), k_busy_timeout_ms);
  sqlite3_db_config(handle.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle.get(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  Database database(std::make_unique<Connection>(std::move(handle), path.string(), options));
  database.execute(
      fmt::format("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-{}; PRAGMA "
                  "mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;",
                  options.cache_kib));
  if (writes && options.journal != Journal::as_is) {
    database.connection_->choose_journal();
  }
  return database;
}

Statement Database::prepare(std::string_view sql) {
  return connection_->statements.lend(sql);
}

void Database::execute(const std::string& script) {
  connection_->check(
      sqlite3_exec(connection_->handle.get(), script.c_str(), nullptr, nullptr, nullptr));
}

std::int64_t Database::changes() const noexcept {
  return sqlite3_changes64(connection_->handle.get());
}

std::int64_t Database::last_insert_id() const noexcept {
  return sqlite3_last_insert_rowid(connection_->handle.get());
}

bool Database::in_transaction() const noexcept {
  return sqlite3_get_autocommit(connection_->handle.get()) == 0;
}

bool Database::is_broken() const noexcept {
  return connection_->statements.is_broken();
}

std::int64_t Database::log_pages() const noexcept {
  return connection_->log_pages;
}

std::int64_t Database::page_bytes() const noexcept {
  return connection_->page_bytes;
}

bool Database::checkpoint(Checkpoint kind, int wait_ms) {
  sqlite3* handle = connection_->handle.get();
  int in_log = 0;
  int copied = 0;
  sqlite3_busy_timeout(handle, wait_ms);
  const int code = sqlite3_wal_checkpoint_v2(
      handle,
      nullptr,
      kind == Checkpoint::truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
      &in_log,
      &copied);
  sqlite3_busy_timeout(handle, k_busy_timeout_ms);
  if ((code & 0xff) == SQLITE_BUSY) {
    return false;
  }
  connection_->check(code);
  if (in_log < 0) {
    return true;  // no write-ahead log
  }
  connection_->log_pages = in_log;
  return in_log == copied;
}

void Database::release_memory() noexcept {
  sqlite3_db_release_memory(connection_->handle.get());
}

const std::string& Database::path() const noexcept {
  return connection_->path;
}

const OpenOptions& Database::options() const noexcept {
  return connection_->options;
}

TransactionScope::TransactionScope(Database& database, Kind kind) : database_(database) {
  database_.prepare(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN").run();
}

TransactionScope::~TransactionScope() {
  if (!database_.in_transaction()) {
    return;
  }
  try {
    database_.prepare("ROLLBACK").run();
  } catch (const std::exception&) {
    // The connection is broken, and with it the transaction gone.
  }
}

void TransactionScope::commit() {
  database_.prepare("COMMIT").run();
}

std::string sqlite_version() {
  return sqlite3_libversion();
}

}  // namespace batchllm::sql
