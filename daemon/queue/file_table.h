// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

// A file that a client gave: a name for a content of the store.
struct StoredFile {
  std::int64_t number = 0;  // in the order of uploads; given by insert_file
  std::string id;           // "file_…"
  std::string sha256;       // where the content is
  std::string name;         // safe, with an extension that tells the format
  std::string media_type;
  std::int64_t bytes = 0;
  std::string format;    // "csv", "jsonl", …
  std::string encoding;  // what --encoding must say; empty: found by itself
  std::optional<std::int64_t> rows;
  std::string columns = "[]";  // JSON array of strings
  bool is_listed = true;       // false: came with a job and goes with it
  std::int64_t created_ms = 0;
};

// "file_" and 12 random base32 characters.
std::string make_file_id();

void insert_file(sql::Database& database, const StoredFile& file);

std::optional<StoredFile> read_file_row(sql::Database& database, std::string_view id);

// Throws Error(file_not_found).
StoredFile require_file(sql::Database& database, std::string_view id);

// The same for a file that its owner knows: not one that came with a job or was deleted.
StoredFile require_listed_file(sql::Database& database, std::string_view id);

// Listed files before the one with that number, newest first.
std::vector<StoredFile> list_files(sql::Database& database,
                                   std::optional<std::int64_t> before_number,
                                   std::int64_t limit);

// The job's inputs that are stored, listed or not.
std::vector<StoredFile> files_of_job(sql::Database& database, std::string_view job_id);

// Whether a job that has not ended uses the file.
bool is_file_in_use(sql::Database& database, std::string_view id);

// Whether any job was made of the file.
bool has_file_jobs(sql::Database& database, std::string_view id);

// Keeps the file for its jobs only.
void unlist_file(sql::Database& database, std::string_view id);

void delete_file_row(sql::Database& database, std::string_view id);

// Whether any file has this content.
bool is_content_used(sql::Database& database, std::string_view sha256);

}  // namespace batchllm::daemon
