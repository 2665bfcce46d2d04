// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/sqlite_error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace batchllm::sql {
namespace {

ConstraintError constraint_error(int code, const std::string& message, const std::string& path) {
  ConstraintError::Kind kind = ConstraintError::Kind::other;
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      kind = ConstraintError::Kind::unique;
      break;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      kind = ConstraintError::Kind::foreign_key;
      break;
    case SQLITE_CONSTRAINT_NOTNULL:
      kind = ConstraintError::Kind::not_null;
      break;
    case SQLITE_CONSTRAINT_CHECK:
      kind = ConstraintError::Kind::check;
      break;
    default:
      break;
  }
  // "UNIQUE constraint failed: jobs.key"
  const auto colon = message.find("failed: ");
  return {kind,
          colon == std::string::npos ? std::string() : message.substr(colon + 8),
          fmt::format("{}: {}", path, message)};
}

bool is_no_room(int error_number) noexcept {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

Error no_room_error(const std::string& path) {
  return Error(ErrorCode::storage_full,
               fmt::format("no room to write {}", path),
               "make room on the disk: nothing that was acknowledged is lost");
}

const char* next_step(int primary, int error_number) noexcept {
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    return "let the other process end, then try again";
  }
  if (primary == SQLITE_READONLY || primary == SQLITE_PERM || error_number == EACCES ||
      error_number == EPERM || error_number == EROFS) {
    return "change the permissions of the file and its folder, or choose another place with "
           "--state-dir";
  }
  if (primary == SQLITE_IOERR) {
    return "look for errors of the disk (dmesg); `batchllm daemon repair` restores the newest "
           "backup when the file is damaged";
  }
  return "check that the folder is there and may be written, or choose another with --state-dir";
}

}  // namespace

Error corrupt_database_error(const std::string& path, const std::string& reason) {
  return Error(ErrorCode::database_corrupt,
               fmt::format("the database {} is damaged: {}", path, reason),
               "nothing was changed; `batchllm daemon repair` keeps the damaged file aside, "
               "restores the newest backup and reads the jobs' own folders again");
}

void throw_sqlite_error(sqlite3* connection, int code, const std::string& path) {
  const int primary = code & 0xff;
  const std::string message =
      connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection);
  const int error_number = connection == nullptr ? 0 : sqlite3_system_errno(connection);
  switch (primary) {
    case SQLITE_CONSTRAINT:
      throw constraint_error(code, message, path);
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw corrupt_database_error(path, message);
    case SQLITE_FULL:
      throw no_room_error(path);
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: {
      // Another file system's "full": a quota, a limit on the size of files.
      const bool has_cause =
          error_number != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN);
      if (has_cause && is_no_room(error_number)) {
        throw no_room_error(path);
      }
      const std::string cause =
          has_cause ? fmt::format(" ({})", std::generic_category().message(error_number)) : "";
      throw Error(ErrorCode::storage,
                  fmt::format("cannot use the database {}: {}{}", path, message, cause),
                  next_step(primary, has_cause ? error_number : 0));
    }
    default:
      throw Error(ErrorCode::internal, fmt::format("{}: {}", path, message));
  }
}

}  // namespace batchllm::sql
