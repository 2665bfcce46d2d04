// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/file_table.h"

#include "core/error.h"
#include "core/text.h"
#include "daemon/queue/random_id.h"

#include <fmt/format.h>

namespace batchllm::daemon {
namespace {

constexpr std::string_view k_columns =
    "id, sha256, name, media_type, bytes, format, encoding, rows, columns, is_listed, created_at";

StoredFile file_of(const sql::Statement& row) {
  StoredFile file;
  int column = 0;
  file.number = row.integer(column++);
  file.id = row.string(column++);
  file.sha256 = row.string(column++);
  file.name = row.string(column++);
  file.media_type = row.string(column++);
  file.bytes = row.integer(column++);
  file.format = row.string(column++);
  file.encoding = row.string(column++);
  file.rows = row.optional_integer(column++);
  file.columns = row.string(column++);
  file.is_listed = row.boolean(column++);
  file.created_ms = row.integer(column++);
  return file;
}

std::vector<StoredFile> read_files(sql::Statement& query) {
  std::vector<StoredFile> files;
  while (query.step()) {
    files.push_back(file_of(query));
  }
  return files;
}

Error no_such_file(std::string_view id) {
  return Error(ErrorCode::file_not_found,
               fmt::format("there is no file {}", printable(id)),
               "GET /api/v1/files lists the files");
}

}  // namespace

std::string make_file_id() {
  return random_id("file_");
}

void insert_file(sql::Database& database, const StoredFile& file) {
  database.run(
      fmt::format("INSERT INTO files ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", k_columns),
      file.id,
      file.sha256,
      file.name,
      file.media_type,
      file.bytes,
      file.format,
      file.encoding,
      file.rows,
      file.columns,
      std::int64_t{file.is_listed},
      file.created_ms);
}

std::optional<StoredFile> read_file_row(sql::Database& database, std::string_view id) {
  auto query =
      database.prepare(fmt::format("SELECT number, {} FROM files WHERE id = ?", k_columns));
  query.bind_all(id);
  return query.step() ? std::optional(file_of(query)) : std::nullopt;
}

StoredFile require_file(sql::Database& database, std::string_view id) {
  auto file = read_file_row(database, id);
  if (!file) {
    throw no_such_file(id);
  }
  return *std::move(file);
}

StoredFile require_listed_file(sql::Database& database, std::string_view id) {
  StoredFile file = require_file(database, id);
  if (!file.is_listed) {
    throw no_such_file(id);
  }
  return file;
}

std::vector<StoredFile> files_of_job(sql::Database& database, std::string_view job_id) {
  auto query = database.prepare(fmt::format(
      "SELECT number, {} FROM files WHERE id IN (SELECT file_id FROM job_files WHERE job_id = ?)",
      k_columns));
  query.bind_all(job_id);
  return read_files(query);
}

std::vector<StoredFile> list_files(sql::Database& database,
                                   std::optional<std::int64_t> before_number,
                                   std::int64_t limit) {
  auto query = database.prepare(
      fmt::format("SELECT number, {} FROM files WHERE is_listed = 1 AND number < ? ORDER BY number "
                  "DESC LIMIT ?",
                  k_columns));
  query.bind_all(before_number.value_or(INT64_MAX), limit);
  return read_files(query);
}

bool is_file_in_use(sql::Database& database, std::string_view id) {
  return database
      .integer(
          "SELECT 1 FROM job_files JOIN jobs ON jobs.id = job_id WHERE file_id = ? AND state < "
          "5 LIMIT 1",
          id)
      .has_value();
}

bool has_file_jobs(sql::Database& database, std::string_view id) {
  return database.integer("SELECT 1 FROM job_files WHERE file_id = ? LIMIT 1", id).has_value();
}

void unlist_file(sql::Database& database, std::string_view id) {
  database.run("UPDATE files SET is_listed = 0 WHERE id = ?", id);
}

void delete_file_row(sql::Database& database, std::string_view id) {
  database.run("DELETE FROM files WHERE id = ?", id);
}

bool is_content_used(sql::Database& database, std::string_view sha256) {
  return database.integer("SELECT 1 FROM files WHERE sha256 = ? LIMIT 1", sha256).has_value();
}

}  // namespace batchllm::daemon
