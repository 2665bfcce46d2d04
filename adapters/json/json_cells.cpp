// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_cells.h"

#include <algorithm>

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

// Unlike column_of, says nothing about whether the row has filled the column already.
std::size_t CellPicker::find_column(std::string_view name, std::size_t position) {
  constexpr std::size_t k_most_habits = 512;
  std::string_view key = name;
  if (key.find('\\') != std::string_view::npos) {
    unescaped_key_.clear();
    append_unescaped(unescaped_key_, name);
    key = unescaped_key_;
  }
  const std::size_t column = look_up(key);
  if (position < k_most_habits) {
    habits_.resize(std::max(habits_.size(), position + 1));
    habits_[position] = {std::string(name), column};
  }
  return column;
}

void CellPicker::begin_row(RowBatch& batch) {
  const std::size_t base = batch.cells.size();
  batch.cells.resize(base + names_.size());
  batch.kinds.resize(base + names_.size(), CellKind::text);
  cells_ = batch.cells.data() + base;
  kinds_ = batch.kinds.data() + base;
  missing_ = columns_.size();
  ++row_;
}

void CellPicker::end_row() noexcept {
  for (const auto& [column, earlier] : repeated_) {
    cells_[column] = cells_[earlier];
    kinds_[column] = kinds_[earlier];
  }
}

void CellPicker::drop_row(RowBatch& batch) const {
  batch.cells.resize(batch.cells.size() - names_.size());
  batch.kinds.resize(batch.kinds.size() - names_.size());
}

template <typename Walk>
void CellPicker::pick_members(Walk walk, TextArena& arena) {
  Member member;
  for (std::size_t position = 0; wants_more() && walk.next(member); ++position) {
    const std::size_t column = column_of(member.key, position);
    if (column != k_no_column) {
      const Cell cell = cell_of(member, arena);
      put(cell.text, cell.kind, column);
    }
  }
}

void CellPicker::pick(std::string_view record,
                      std::span<const std::uint32_t> tokens,
                      RowBatch& batch,
                      TextArena& arena) {
  begin_row(batch);
  if (record.front() != '{') {
    if (const std::size_t column = look_up(k_value_column); column != k_no_column) {
      const Cell cell = cell_of(lone_value(record), arena);
      put(cell.text, cell.kind, column);
    }
  } else if (tokens.empty()) {
    pick_members(MemberWalk(record), arena);
  } else {
    pick_members(TokenWalk(record, tokens), arena);
  }
  end_row();
}

}  // namespace batchllm::json
