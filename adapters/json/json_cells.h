// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_members.h"
#include "core/row_batch.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace batchllm::json {

// Bytes that stay where they are until `clear`. Not thread-safe.
class TextArena {
 public:
  // Room for `bytes`; what is not used is given back by the next call's `used`.
  char* reserve(std::size_t bytes);

  void commit(std::size_t used) noexcept { used_ += used; }

  // Forgets the bytes and keeps one chunk.
  void clear();

 private:
  static constexpr std::size_t k_chunk = std::size_t{64} << 10;

  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t capacity_ = 0;  // of the last chunk
  std::size_t used_ = 0;      // of the last chunk
};

// Takes the cells of chosen columns out of records. Not thread-safe.
class CellPicker {
 public:
  // The name under which a record that is no object has its value.
  static constexpr std::string_view k_value_column = "value";

  explicit CellPicker(std::vector<std::string> names);

  std::size_t column_count() const noexcept { return names_.size(); }

  // Appends one row's cells to `batch`. `record` is valid JSON and no array; the cells are views
  // into it, or into `arena` where escapes were taken out. `tokens` are those of TokenWalk, or
  // empty where they are not known.
  void pick(std::string_view record,
            std::span<const std::uint32_t> tokens,
            RowBatch& batch,
            TextArena& arena);

 private:
  static constexpr std::size_t k_no_column = static_cast<std::size_t>(-1);

  // Which column the member at one position of the last rows belonged to: rows of a file mostly
  // have their members in the same order, so that one comparison replaces a lookup.
  struct Habit {
    std::string key;
    std::size_t column = k_no_column;
  };

  template <typename Walk>
  void pick_members(Walk walk, std::size_t base, RowBatch& batch, TextArena& arena);
  void put(const Member& member,
           std::size_t column,
           std::size_t base,
           RowBatch& batch,
           TextArena& arena);
  std::size_t column_of(const Member& member, std::size_t position);
  std::size_t look_up(std::string_view key) const;

  std::vector<std::string> names_;
  std::unordered_map<std::string_view, std::size_t> columns_;
  std::vector<std::pair<std::size_t, std::size_t>>
      repeated_;  // a column and the earlier one it repeats
  std::vector<Habit> habits_;
  std::vector<std::uint64_t> filled_;  // per column: the row (counted by row_) that filled it last
  std::uint64_t row_ = 0;
  std::string unescaped_key_;
};

}  // namespace batchllm::json
