// SPDX-License-Identifier: Apache-2.0
#include "core/packed_row.h"

#include <cstdint>
#include <cstring>
#include <limits>

namespace batchllm {
namespace {

constexpr std::uint32_t k_null = std::numeric_limits<std::uint32_t>::max();

void put_number(std::string& out, std::uint32_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

std::uint32_t take_number(std::string_view& packed) {
  std::uint32_t number = 0;
  std::memcpy(&number, packed.data(), sizeof number);
  packed.remove_prefix(sizeof number);
  return number;
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.data() == nullptr ? k_null : static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::string_view take_text(std::string_view& packed) {
  const std::uint32_t size = take_number(packed);
  if (size == k_null) {
    return {};
  }
  const std::string_view text(packed.data(), size);
  packed.remove_prefix(size);
  return text;
}

}  // namespace

void pack_row(const RowBatch& batch, std::size_t row, std::string& out) {
  const auto cells = batch.row_cells(row);
  put_number(out, static_cast<std::uint32_t>(cells.size()));
  put_number(out, batch.kinds.empty() ? 0 : 1);
  for (std::size_t column = 0; column < cells.size(); ++column) {
    put_text(out, cells[column]);
    if (!batch.kinds.empty()) {
      out += static_cast<char>(batch.cell_kind(row, column));
    }
  }
  put_text(out, batch.record(row));
}

void unpack_row(std::string_view packed, const RowPlace& place, RowBatch& batch) {
  batch.clear();
  batch.column_count = take_number(packed);
  const bool has_kinds = take_number(packed) != 0;
  for (std::size_t column = 0; column < batch.column_count; ++column) {
    batch.cells.push_back(take_text(packed));
    if (has_kinds) {
      batch.kinds.push_back(static_cast<CellKind>(packed.front()));
      packed.remove_prefix(1);
    }
  }
  const std::string_view record = take_text(packed);
  if (record.data() != nullptr) {
    batch.records.push_back(record);
  }
  batch.places.push_back(place);
}

}  // namespace batchllm
