// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace batchllm::sql {

// What marks a file as a database of batchllm: "BLLM" as PRAGMA application_id.
constexpr std::int32_t k_application_id = 0x424C4C4D;

// One step of the schema. Numbers count from 1 without gaps; a step that was released never
// changes. `sql` runs with foreign keys off, in one transaction with the new number, and foreign
// keys are checked before that commits.
struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;
};

struct MigrationOptions {
  // Gets a copy "<stem>-before-v<newest>-<time>.db" before the first step on a database that is not
  // new. What is in it also tells that a missing database was lost, not never made.
  std::filesystem::path backups;
  std::int64_t now_ms = 0;  // wall clock, for the name of the copy
  OpenOptions open;
};

// Opens the database at `path` for writing with the schema of the last migration: makes a new one,
// or brings an older one up to date step by step. Each step is in the file completely or not at
// all, so whoever is killed in between goes on at the next start. Throws, having changed nothing:
//   Error(database_newer)    a newer batchllm made it;
//   Error(database_corrupt)  damaged; or gone, while its log or backups are there;
//   Error(storage)           another program's database, or it cannot be used.
Database open_migrated(const std::filesystem::path& path,
                       std::span<const Migration> migrations,
                       const MigrationOptions& options);

// The number of the schema (PRAGMA user_version).
int schema_version(Database& database);

}  // namespace batchllm::sql
