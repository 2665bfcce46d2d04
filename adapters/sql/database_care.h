// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::sql {

// quick: the structure of every page. full: also that every index agrees with its table, which is
// the only way a changed byte inside a row is noticed.
enum class Check { quick, full };

// Throws Error(database_corrupt) with the first thing found. Reads the whole file.
void check_integrity(Database& database, Check check);

// The check for every start, when the database is not larger than `limit_bytes` (milliseconds for
// what the daemon keeps; a larger one takes as long as reading it). False: it was larger.
bool check_at_start(Database& database, std::uint64_t limit_bytes = std::uint64_t{200} << 20);

// Copies the database as of this moment to `folder`/<stem>-<label>-<time>.db, while others write:
// beside, fsync, rename. Makes the folder (0700); needs as much free space as the database has. The
// copy has no log and is complete in itself. Throws what throw_sqlite_error says.
std::filesystem::path back_up(Database& database,
                              const std::filesystem::path& folder,
                              std::string_view label,
                              std::int64_t now_ms);

// Deletes the oldest copies with this label until `keep` are left.
void keep_newest_backups(const std::filesystem::path& folder,
                         const std::filesystem::path& database,
                         std::string_view label,
                         std::size_t keep);

// Copies of this database with any label, newest first; and the newest.
std::vector<std::filesystem::path> list_backups(const std::filesystem::path& folder,
                                                const std::filesystem::path& database);
std::optional<std::filesystem::path> newest_backup(const std::filesystem::path& folder,
                                                   const std::filesystem::path& database);

struct Salvaged {
  std::string table;
  std::int64_t rows = 0;     // copied
  bool is_complete = false;  // nothing unreadable was met
};

// Copies what can still be read of `tables` from the damaged file `source` into `target`, which has
// their (new) schema; columns that only one side has are left out, rows that are in `target`
// already stay. Then rows of `target` that refer to lost ones are deleted, too. Throws only for
// what is wrong with `target`; a source that cannot be opened at all gives no rows.
std::vector<Salvaged> salvage(const std::filesystem::path& source,
                              Database& target,
                              std::span<const std::string_view> tables);

// Moves the database with its log and its shared memory, as they are, into a new folder beside it
// ("corrupt-<time>"), and returns that. Nobody may have it open.
std::filesystem::path move_database_aside(const std::filesystem::path& database,
                                          std::int64_t now_ms);

}  // namespace batchllm::sql
