// SPDX-License-Identifier: Apache-2.0
#include "core/shard.h"

namespace batchllm {

ShardTotals& ShardTotals::operator+=(const ShardTotals& other) noexcept {
  ok += other.ok;
  failed += other.failed;
  skipped += other.skipped;
  excluded += other.excluded;
  cost_micro_usd += other.cost_micro_usd;
  input_tokens += other.input_tokens;
  output_tokens += other.output_tokens;
  return *this;
}

Shard::Shard(std::uint64_t number)
    : number_(number),
      states_(std::make_unique<std::atomic<std::uint64_t>[]>(k_rows_per_shard)) {}

bool Shard::exclude(std::uint64_t row_index) noexcept {
  std::uint64_t unknown = 0;
  if (!states_[row_index - first_row()].compare_exchange_strong(
          unknown, RowState::excluded().bits(), std::memory_order_acq_rel)) {
    return false;
  }
  settled_.fetch_add(1, std::memory_order_acq_rel);
  return true;
}

void Shard::settle(std::uint64_t row_index,
                   RowStatus status,
                   std::uint64_t ledger_offset) noexcept {
  const std::uint64_t before = states_[row_index - first_row()].exchange(
      RowState::settled(status, ledger_offset).bits(), std::memory_order_acq_rel);
  if (before == 0) {
    settled_.fetch_add(1, std::memory_order_acq_rel);
  }
}

void Shard::reopen(std::uint64_t row_index) noexcept {
  if (states_[row_index - first_row()].exchange(0, std::memory_order_acq_rel) != 0) {
    settled_.fetch_sub(1, std::memory_order_acq_rel);
  }
}

void Shard::set_end(std::uint64_t rows, std::uint64_t matched, std::optional<RowPlace> next) {
  rows_ = rows;
  matched_ = matched;
  next_place_ = next;
  has_end_.store(true, std::memory_order_release);
}

}  // namespace batchllm
