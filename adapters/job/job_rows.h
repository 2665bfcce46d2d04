// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/manifest.h"
#include "core/row_source.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace batchllm {

// Goes to single rows of a job's inputs by their index, ascending; leaps over shards that nobody
// asks for where the manifest tells the place behind them. Not thread-safe.
class JobRows {
 public:
  // `source` is at its start, with its columns selected; `manifest` outlives this.
  JobRows(std::unique_ptr<RowSource> source, const Manifest& manifest);

  // False when the input has no such row. Throws Error as the source does.
  bool go_to(std::uint64_t row_index);

  // Where go_to went; valid until its next call.
  const RowBatch& batch() const noexcept { return batch_; }

  std::size_t row() const noexcept { return row_; }

 private:
  void leap_to_shard(std::uint64_t number);

  std::unique_ptr<RowSource> source_;
  const Manifest& manifest_;
  std::optional<std::uint64_t> shard_;
  RowBatch batch_;
  std::size_t row_ = 0;         // of batch_
  std::uint64_t next_row_ = 0;  // rows before it were passed
};

}  // namespace batchllm
