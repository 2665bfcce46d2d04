// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_rows.h"

#include "core/ledger_format.h"

#include <utility>

namespace batchllm {

JobRows::JobRows(std::unique_ptr<RowSource> source, const Manifest& manifest)
    : source_(std::move(source)),
      manifest_(manifest) {}

bool JobRows::go_to(std::uint64_t row_index) {
  const std::uint64_t shard = row_index / k_rows_per_shard;
  if (shard_ != shard) {
    shard_ = shard;
    leap_to_shard(shard);
  }
  while (true) {
    for (; row_ < batch_.row_count(); ++row_) {
      if (batch_.places[row_].row_index >= row_index) {
        return batch_.places[row_].row_index == row_index;
      }
      next_row_ = batch_.places[row_].row_index + 1;
    }
    row_ = 0;
    if (!source_->next_batch(batch_)) {
      return false;
    }
  }
}

// Goes on where the nearest shard before it ended, unless the source is further already.
void JobRows::leap_to_shard(std::uint64_t number) {
  auto before = manifest_.shards().lower_bound(number);
  if (before == manifest_.shards().begin()) {
    return;
  }
  --before;
  const auto& place = before->second.next_place;
  if (place && place->row_index > next_row_) {
    source_->seek(*place);
    batch_.clear();
    row_ = 0;
    next_row_ = place->row_index;
  }
}

}  // namespace batchllm
