// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/sqlite_migrations.h"

#include "adapters/sql/database_care.h"
#include "core/crash_point.h"

#include <fmt/format.h>

#include <string>

namespace batchllm::sql {
namespace {

namespace fs = std::filesystem;

bool has_bytes(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return !error && size > 0;
}

// SQLite would make an empty database where one was lost, and throw its log away.
void refuse_lost_database(const fs::path& path, const fs::path& backups) {
  if (has_bytes(path)) {
    return;
  }
  const std::string log = path.string() + "-wal";
  if (has_bytes(log)) {
    throw corrupt_database_error(path.string(),
                                 "it is missing, though its log " + log + " is there");
  }
  const auto newest = newest_backup(backups, path);
  if (newest) {
    throw corrupt_database_error(
        path.string(), "it is missing, though its backup " + newest->string() + " is there");
  }
}

bool is_empty(Database& database) {
  return database.integer("SELECT count(*) FROM sqlite_schema") == 0;
}

void refuse_foreign_database(Database& database) {
  const std::int64_t id = database.integer("PRAGMA application_id").value_or(0);
  if (id == k_application_id || (id == 0 && is_empty(database))) {
    return;
  }
  throw Error(ErrorCode::storage,
              fmt::format("{} is a database of another program", database.path()),
              "move that file away, or choose another folder with --state-dir");
}

void refuse_newer_database(Database& database, int newest) {
  const int version = schema_version(database);
  if (version > newest) {
    throw Error(
        ErrorCode::database_newer,
        fmt::format("the database {} was made by a newer version of batchllm (its schema is "
                    "{}, this version knows {})",
                    database.path(),
                    version,
                    newest),
        "install that version again; or go back to the backup made before the update with "
        "`batchllm daemon repair`");
  }
}

void run_step(Database& database, const Migration& migration) {
  TransactionScope transaction(database, TransactionScope::Kind::write);
  database.execute(std::string(migration.sql));
  if (const auto table = database.string("PRAGMA foreign_key_check")) {
    throw Error(ErrorCode::internal,
                fmt::format("migration {} ({}) leaves rows in {} that refer to nothing",
                            migration.number,
                            migration.name,
                            *table));
  }
  database.execute(fmt::format(
      "PRAGMA application_id={}; PRAGMA user_version={}", k_application_id, migration.number));
  crash_point(CrashPoint::migration_written);
  transaction.commit();
  crash_point(CrashPoint::migration_committed);
}

}  // namespace

int schema_version(Database& database) {
  return static_cast<int>(database.integer("PRAGMA user_version").value_or(0));
}

Database open_migrated(const fs::path& path,
                       std::span<const Migration> migrations,
                       const MigrationOptions& options) {
  refuse_lost_database(path, options.backups);
  const int newest = migrations.empty() ? 0 : migrations.back().number;
  if (has_bytes(path)) {
    // Before anything is written to a file that may not be ours; not read-only, since whoever was
    // killed while making the database left a journal to undo.
    OpenOptions look = options.open;
    look.journal = Journal::as_is;
    Database database = Database::open(path, Access::read_write, look);
    refuse_foreign_database(database);
    refuse_newer_database(database, newest);
  }
  Database database = Database::open(path, Access::read_write, options.open);
  const int version = schema_version(database);
  if (version == newest) {
    return database;
  }
  if (version > 0) {
    const std::string label = fmt::format("before-v{}", newest);
    back_up(database, options.backups, label, options.now_ms);
  }
  database.execute("PRAGMA foreign_keys=OFF");
  for (const Migration& migration : migrations) {
    if (migration.number > version) {
      run_step(database, migration);
    }
  }
  database.execute("PRAGMA foreign_keys=ON");
  return database;
}

}  // namespace batchllm::sql
