// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_cells.h"

#include <algorithm>
#include <cstring>

namespace batchllm::json {
namespace {

struct Cell {
  std::string_view text;
  CellKind kind = CellKind::text;
};

Cell cell_of(const Member& member, TextArena& arena) {
  switch (member.kind) {
    case ValueKind::null:
      return {};
    case ValueKind::string:
      break;
    default:
      return {member.value, CellKind::json};
  }
  if (member.value.find('\\') == std::string_view::npos) {
    return {member.value, CellKind::text};
  }
  char* out = arena.reserve(member.value.size() + k_unescape_slack);
  const std::size_t length = unescape(member.value, out);
  arena.commit(length);
  return {{out, length}, CellKind::text};
}

// Names are short: two overlapping loads are quicker than a call.
bool same_name(std::string_view a, std::string_view b) noexcept {
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

// A record that is no object, as the member that it stands for.
Member lone_value(std::string_view record) {
  Member member;
  member.kind = kind_of(record.front());
  member.value = record;
  if (member.kind == ValueKind::string) {
    member.value = record.substr(1, record.size() - 2);
  }
  return member;
}

}  // namespace

char* TextArena::reserve(std::size_t bytes) {
  if (chunks_.empty() || capacity_ - used_ < bytes) {
    capacity_ = std::max(bytes, k_chunk);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
    used_ = 0;
  }
  return chunks_.back().get() + used_;
}

void TextArena::clear() {
  used_ = 0;
  if (chunks_.size() > 1 || capacity_ > k_chunk) {
    chunks_.clear();
    capacity_ = 0;
  }
}

CellPicker::CellPicker(std::vector<std::string> names)
    : names_(std::move(names)),
      filled_(names_.size(), 0) {
  for (std::size_t column = 0; column < names_.size(); ++column) {
    const auto [found, added] = columns_.try_emplace(names_[column], column);
    if (!added) {
      repeated_.emplace_back(column, found->second);
    }
  }
}

std::size_t CellPicker::look_up(std::string_view key) const {
  const auto found = columns_.find(key);
  return found == columns_.end() ? k_no_column : found->second;
}

std::size_t CellPicker::column_of(const Member& member, std::size_t position) {
  constexpr std::size_t k_most_habits = 512;
  if (position < habits_.size() && same_name(habits_[position].key, member.key)) {
    return habits_[position].column;
  }
  std::string_view key = member.key;
  if (key.find('\\') != std::string_view::npos) {
    unescaped_key_.clear();
    append_unescaped(unescaped_key_, member.key);
    key = unescaped_key_;
  }
  const std::size_t column = look_up(key);
  if (position < k_most_habits) {
    habits_.resize(std::max(habits_.size(), position + 1));
    habits_[position] = {std::string(member.key), column};
  }
  return column;
}

void CellPicker::put(
    const Member& member, std::size_t column, std::size_t base, RowBatch& batch, TextArena& arena) {
  const Cell cell = cell_of(member, arena);
  batch.cells[base + column] = cell.text;
  batch.kinds[base + column] = cell.kind;
  filled_[column] = row_;
}

template <typename Walk>
void CellPicker::pick_members(Walk walk, std::size_t base, RowBatch& batch, TextArena& arena) {
  Member member;
  std::size_t missing = columns_.size();
  for (std::size_t position = 0; missing != 0 && walk.next(member); ++position) {
    const std::size_t column = column_of(member, position);
    if (column != k_no_column && filled_[column] != row_) {
      put(member, column, base, batch, arena);
      --missing;
    }
  }
}

void CellPicker::pick(std::string_view record,
                      std::span<const std::uint32_t> tokens,
                      RowBatch& batch,
                      TextArena& arena) {
  const std::size_t base = batch.cells.size();
  batch.cells.resize(base + names_.size());
  batch.kinds.resize(base + names_.size(), CellKind::text);
  ++row_;
  if (record.front() != '{') {
    if (const std::size_t column = look_up(k_value_column); column != k_no_column) {
      put(lone_value(record), column, base, batch, arena);
    }
  } else if (tokens.empty()) {
    pick_members(MemberWalk(record), base, batch, arena);
  } else {
    pick_members(TokenWalk(record, tokens), base, batch, arena);
  }
  for (const auto& [column, earlier] : repeated_) {
    batch.cells[base + column] = batch.cells[base + earlier];
    batch.kinds[base + column] = batch.kinds[base + earlier];
  }
}

}  // namespace batchllm::json
