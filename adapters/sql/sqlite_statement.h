// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3_stmt;

namespace batchllm::sql {

class StatementCache;

// A compiled statement, on loan from its Database: what was bound is forgotten and a read that is
// under way ends when the loan does. Parameters count from 1, columns from 0. Everything throws
// what throw_sqlite_error says. Used by the thread that uses the Database, and gone before it.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  // Texts are copied. An empty text stays a text: only nullptr and an empty optional bind NULL.
  Statement& bind(int position, std::int64_t value);
  Statement& bind(int position, double value);
  Statement& bind(int position, std::string_view text);
  Statement& bind(int position, std::nullptr_t);
  Statement& bind_blob(int position, std::string_view bytes);

  // What stands in a column of another statement's row, with its type.
  Statement& bind_column(int position, const Statement& row, int column);

  template <std::integral Integer>
  Statement& bind(int position, Integer value) {
    return bind(position, static_cast<std::int64_t>(value));
  }

  template <typename Value>
  Statement& bind(int position, const std::optional<Value>& value) {
    return value ? bind(position, *value) : bind(position, nullptr);
  }

  // Binds the parameters 1, 2, 3, … in order.
  template <typename... Values>
  Statement& bind_all(const Values&... values) {
    int position = 0;
    (bind(++position, values), ...);
    return *this;
  }

  // True: a row is there. False: the end, and the statement may be bound and stepped again.
  bool step();

  // To the end; rows are thrown away.
  void run();

  // Ends a read before its last row. What is bound stays bound.
  void reset() noexcept;

  // Columns of the row. Views are good until the next step, reset or end of the loan; NULL reads as
  // 0 or an empty text.
  std::int64_t integer(int column) const noexcept;
  double real(int column) const noexcept;
  std::string_view text(int column) const noexcept;
  std::string_view blob(int column) const noexcept;

  std::string string(int column) const { return std::string(text(column)); }

  bool boolean(int column) const noexcept { return integer(column) != 0; }

  bool is_null(int column) const noexcept;
  std::optional<std::int64_t> optional_integer(int column) const;
  std::optional<double> optional_real(int column) const;
  std::optional<std::string> optional_string(int column) const;

  int column_count() const noexcept;

 private:
  friend class StatementCache;

  Statement(StatementCache& cache, sqlite3_stmt* statement, void* entry) noexcept
      : cache_(&cache),
        statement_(statement),
        entry_(entry) {}

  void check(int code) const;

  StatementCache* cache_;
  sqlite3_stmt* statement_;
  void* entry_;  // of the cache; null: not cached, ends with the loan
};

}  // namespace batchllm::sql
