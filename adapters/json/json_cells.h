// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_members.h"
#include "core/row_batch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

  // The same for an object whose members come one by one: `begin_row`, then for each of them
  // `column_of` and, for the first one of a column, `put`; then `end_row`, or `drop_row` when the
  // record turns out to have a fault, which leaves `batch` as it was.
  void begin_row(RowBatch& batch);
  void put(std::string_view text, CellKind kind, std::size_t column) noexcept;
  void end_row() noexcept;
  void drop_row(RowBatch& batch) const;

  static constexpr std::size_t k_no_column = static_cast<std::size_t>(-1);

  // False when the row has all its cells: the rest of its members need not be asked about.
  bool wants_more() const noexcept { return missing_ != 0; }

  // The column of the member with that number, or k_no_column when nobody wants it. `name` is
  // spelled as in the record.
  std::size_t column_of(std::string_view name, std::size_t position);

 private:
  // Which column the member at one position of the last rows belonged to: rows of a file mostly
  // have their members in the same order, so that one comparison replaces a lookup.
  struct Habit {
    std::string name;
    std::size_t column = k_no_column;
  };

  template <typename Walk>
  void pick_members(Walk walk, TextArena& arena);
  std::size_t find_column(std::string_view name, std::size_t position);
  std::size_t look_up(std::string_view key) const;

  std::vector<std::string> names_;
  std::unordered_map<std::string_view, std::size_t> columns_;
  std::vector<std::pair<std::size_t, std::size_t>>
      repeated_;  // a column and the earlier one it repeats
  std::vector<Habit> habits_;
  std::vector<std::uint64_t> filled_;  // per column: the row (counted by row_) that filled it last
  std::uint64_t row_ = 0;
  std::size_t missing_ = 0;            // columns that the row has not filled
  std::string_view* cells_ = nullptr;  // of the row, in the batch
  CellKind* kinds_ = nullptr;
  std::string unescaped_key_;
};

// Names are short: two overlapping loads are quicker than a call.
inline bool is_same_name(std::string_view a, std::string_view b) noexcept {
  constexpr std::size_t k_word = sizeof(std::uint64_t);
  if (a.size() != b.size()) {
    return false;
  }
  if (a.size() < k_word || a.size() > 2 * k_word) {
    return std::equal(a.begin(), a.end(), b.begin());
  }
  const auto word = [](const char* bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, k_word);
    return value;
  };
  const std::size_t last = a.size() - k_word;
  return word(a.data()) == word(b.data()) && word(a.data() + last) == word(b.data() + last);
}

inline std::size_t CellPicker::column_of(std::string_view name, std::size_t position) {
  std::size_t column = k_no_column;
  if (position < habits_.size() && is_same_name(habits_[position].name, name)) {
    column = habits_[position].column;
  } else {
    column = find_column(name, position);
  }
  return column != k_no_column && filled_[column] != row_ ? column : k_no_column;
}

inline void CellPicker::put(std::string_view text, CellKind kind, std::size_t column) noexcept {
  cells_[column] = text;
  kinds_[column] = kind;
  filled_[column] = row_;
  --missing_;
}

}  // namespace batchllm::json
