// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_statement.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;

namespace batchllm::sql {

// The compiled statements of one connection by their text. A statement that is out when it is asked
// for again is compiled a second time, and that one is not kept. Bounded: the one that was not used
// for the longest time goes.
class StatementCache {
 public:
  StatementCache(sqlite3* connection, std::string path)
      : connection_(connection),
        path_(std::move(path)) {}

  ~StatementCache();
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;

  Statement lend(std::string_view sql);
  void take_back(sqlite3_stmt* statement, void* entry) noexcept;

  // Throws what `code` means and notes when the connection must be opened anew.
  [[noreturn]] void fail(int code);

  bool is_broken() const noexcept { return broken_; }

 private:
  struct Entry {
    sqlite3_stmt* statement = nullptr;
    bool is_lent = false;
    std::uint64_t used = 0;
  };

  struct TextHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  sqlite3_stmt* compile(std::string_view sql);
  void make_room();

  sqlite3* connection_;
  const std::string path_;
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries_;
  std::uint64_t uses_ = 0;
  bool broken_ = false;
};

}  // namespace batchllm::sql
