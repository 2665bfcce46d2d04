// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/sqlite_statement.h"

#include "adapters/sql/sqlite_error.h"
#include "adapters/sql/statement_cache.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

namespace batchllm::sql {
namespace {

constexpr std::size_t k_kept_statements = 200;

}  // namespace

StatementCache::~StatementCache() {
  for (auto& [text, entry] : entries_) {
    sqlite3_finalize(entry.statement);
  }
}

Statement StatementCache::lend(std::string_view sql) {
  const auto found = entries_.find(sql);
  if (found != entries_.end()) {
    Entry& entry = found->second;
    if (entry.is_lent) {
      return {*this, compile(sql), nullptr};
    }
    entry.is_lent = true;
    entry.used = ++uses_;
    return {*this, entry.statement, &entry};
  }
  make_room();
  sqlite3_stmt* statement = compile(sql);
  Entry& entry = entries_[std::string(sql)];
  entry = {statement, true, ++uses_};
  return {*this, statement, &entry};
}

void StatementCache::take_back(sqlite3_stmt* statement, void* entry) noexcept {
  if (entry == nullptr) {
    sqlite3_finalize(statement);
    return;
  }
  // The result repeats what step() threw.
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  static_cast<Entry*>(entry)->is_lent = false;
}

void StatementCache::fail(int code) {
  broken_ = broken_ || (code & 0xff) == SQLITE_IOERR;
  throw_sqlite_error(connection_, code, path_);
}

sqlite3_stmt* StatementCache::compile(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_,
                                      sql.data(),
                                      static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT,
                                      &statement,
                                      nullptr);
  if (code != SQLITE_OK) {
    fail(sqlite3_extended_errcode(connection_));
  }
  return statement;
}

void StatementCache::make_room() {
  if (entries_.size() < k_kept_statements) {
    return;
  }
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (!entry->second.is_lent &&
        (oldest == entries_.end() || entry->second.used < oldest->second.used)) {
      oldest = entry;
    }
  }
  if (oldest != entries_.end()) {
    sqlite3_finalize(oldest->second.statement);
    entries_.erase(oldest);
  }
}

Statement::Statement(Statement&& other) noexcept
    : cache_(other.cache_),
      statement_(std::exchange(other.statement_, nullptr)),
      entry_(std::exchange(other.entry_, nullptr)) {}

Statement::~Statement() {
  if (statement_ != nullptr) {
    cache_->take_back(statement_, entry_);
  }
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) {
    cache_->fail(code);
  }
}

Statement& Statement::bind(int position, std::int64_t value) {
  check(sqlite3_bind_int64(statement_, position, value));
  return *this;
}

Statement& Statement::bind(int position, double value) {
  check(sqlite3_bind_double(statement_, position, value));
  return *this;
}

Statement& Statement::bind(int position, std::string_view text) {
  const char* bytes = text.data() == nullptr ? "" : text.data();
  check(
      sqlite3_bind_text64(statement_, position, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int position, std::nullptr_t) {
  check(sqlite3_bind_null(statement_, position));
  return *this;
}

Statement& Statement::bind_blob(int position, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  check(sqlite3_bind_blob64(statement_, position, data, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_column(int position, const Statement& row, int column) {
  check(sqlite3_bind_value(statement_, position, sqlite3_column_value(row.statement_, column)));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  cache_->fail(code);
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_);
}

std::int64_t Statement::integer(int column) const noexcept {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const noexcept {
  return sqlite3_column_double(statement_, column);
}

std::string_view Statement::text(int column) const noexcept {
  // The text first: asking for it may convert the value, and then the length changes.
  const unsigned char* text = sqlite3_column_text(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return text == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(text), size);
}

std::string_view Statement::blob(int column) const noexcept {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), size);
}

bool Statement::is_null(int column) const noexcept {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<double> Statement::optional_real(int column) const {
  return is_null(column) ? std::nullopt : std::optional(real(column));
}

std::optional<std::string> Statement::optional_string(int column) const {
  return is_null(column) ? std::nullopt : std::optional(string(column));
}

int Statement::column_count() const noexcept {
  return sqlite3_column_count(statement_);
}

}  // namespace batchllm::sql
