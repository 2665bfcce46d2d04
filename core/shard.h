// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger_format.h"
#include "core/outcome.h"
#include "core/row_batch.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace batchllm {

// Where one row stands: 8 bytes, written by one thread and read by another.
class RowState {
 public:
  enum class Kind : std::uint8_t { unknown, excluded, settled };

  static RowState excluded() noexcept { return RowState(k_excluded_bits); }

  static RowState settled(RowStatus status, std::uint64_t ledger_offset) noexcept {
    return RowState(((static_cast<std::uint64_t>(status) + 1) << k_status_shift) | ledger_offset);
  }

  RowState() = default;

  explicit RowState(std::uint64_t bits) noexcept : bits_(bits) {}

  Kind kind() const noexcept {
    if (bits_ == 0) {
      return Kind::unknown;
    }
    return bits_ == k_excluded_bits ? Kind::excluded : Kind::settled;
  }

  RowStatus status() const noexcept {
    return static_cast<RowStatus>((bits_ >> k_status_shift) - 1);
  }

  // Where the outcome's line starts in the shard's ledger.
  std::uint64_t ledger_offset() const noexcept { return bits_ & k_offset_mask; }

  std::uint64_t bits() const noexcept { return bits_; }

 private:
  static constexpr unsigned k_status_shift = 60;
  static constexpr std::uint64_t k_offset_mask = (std::uint64_t{1} << k_status_shift) - 1;
  static constexpr std::uint64_t k_excluded_bits = std::uint64_t{15} << k_status_shift;

  std::uint64_t bits_ = 0;
};

// A row that was sent and whose outcome is not in the ledger.
struct OpenAttempt {
  std::uint32_t attempts = 0;
  std::int64_t max_cost_micro_usd = 0;   // what all its unanswered attempts may have cost
  bool answered = false;                 // the last one came back: nothing is in doubt
  std::vector<StepAnswer> answers = {};  // that it has already, in order
};

// Sums over rows; what a manifest keeps of a sealed shard.
struct ShardTotals {
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t excluded = 0;
  std::int64_t cost_micro_usd = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;

  std::uint64_t done() const noexcept { return ok + failed + skipped; }

  ShardTotals& operator+=(const ShardTotals& other) noexcept;
};

// The rows of one shard while it is open: where each stands, and where the shard begins in the
// input. Thread rule: `exclude`, `set_first_place`, `set_end` by the reader; `settle` by the
// network thread; `state`, `is_complete` by anyone.
class Shard {
 public:
  explicit Shard(std::uint64_t number);

  std::uint64_t number() const noexcept { return number_; }

  std::uint64_t first_row() const noexcept { return number_ * k_rows_per_shard; }

  RowState state(std::uint64_t row_index) const noexcept {
    return RowState(states_[row_index - first_row()].load(std::memory_order_acquire));
  }

  // The row is not part of the job: not selected, or bad. True when that is news.
  bool exclude(std::uint64_t row_index) noexcept;

  // The row has an outcome at `ledger_offset`. A later one takes the place of an earlier one.
  void settle(std::uint64_t row_index, RowStatus status, std::uint64_t ledger_offset) noexcept;

  // Makes a settled row open again (retry).
  void reopen(std::uint64_t row_index) noexcept;

  // The reader passed the shard: it has `rows` rows; `matched` rows of the job matched --where up
  // to its end; the next row begins at `next` (none at the end of the input).
  void set_end(std::uint64_t rows, std::uint64_t matched, std::optional<RowPlace> next);

  bool has_end() const noexcept { return has_end_.load(std::memory_order_acquire); }

  std::uint64_t rows() const noexcept { return rows_; }

  std::uint64_t matched() const noexcept { return matched_; }

  const std::optional<RowPlace>& next_place() const noexcept { return next_place_; }

  // Read to its end, and every row is excluded or has an outcome.
  bool is_complete() const noexcept {
    return has_end() && settled_.load(std::memory_order_acquire) >= rows_;
  }

  bool is_sealed = false;  // its totals stand in the manifest; writer thread

 private:
  std::uint64_t number_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> states_;
  std::atomic<std::uint64_t> settled_{0};
  std::atomic<bool> has_end_{false};
  std::uint64_t rows_ = 0;
  std::uint64_t matched_ = 0;
  std::optional<RowPlace> next_place_;
};

}  // namespace batchllm
