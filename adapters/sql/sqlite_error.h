// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.h"

#include <string>

struct sqlite3;

namespace batchllm::sql {

// A constraint of the schema said no; the statement changed nothing. Whoever expects it catches it:
// uncaught it is a bug, Error(internal).
class ConstraintError : public Error {
 public:
  enum class Kind { unique, foreign_key, not_null, check, other };

  ConstraintError(Kind kind, std::string columns, std::string message)
      : Error(ErrorCode::internal, std::move(message)),
        kind_(kind),
        columns_(std::move(columns)) {}

  Kind kind() const noexcept { return kind_; }

  // What SQLite names: "jobs.key" or "shards.job_id, shards.number" of a unique key, the name of a
  // check; empty of a foreign key.
  const std::string& columns() const noexcept { return columns_; }

 private:
  Kind kind_;
  std::string columns_;
};

// Throws what result code `code` of SQLite means, naming `path` and what to do next:
// ConstraintError, or Error with database_corrupt (damaged, or no database at all), storage_full
// (no room), storage (cannot be read, written, opened, or is in use), internal (an error in the
// SQL); std::bad_alloc.
[[noreturn]] void throw_sqlite_error(sqlite3* connection, int code, const std::string& path);

// Error(database_corrupt) about `path`, whose message ends in `reason`.
Error corrupt_database_error(const std::string& path, const std::string& reason);

}  // namespace batchllm::sql
