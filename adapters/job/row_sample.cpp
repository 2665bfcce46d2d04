// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/row_sample.h"

#include <algorithm>
#include <queue>
#include <utility>

namespace batchllm {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): a well mixed number for each row.
std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

}  // namespace

std::vector<std::uint64_t> sample_rows(RowSource& source,
                                       const RowEncoder& encoder,
                                       std::uint64_t count,
                                       std::uint64_t seed) {
  // The rows with the smallest numbers are an even sample that does not depend on the order of
  // reading.
  std::priority_queue<std::pair<std::uint64_t, std::uint64_t>> smallest;
  source.select(encoder.columns());
  RowBatch batch;
  while (count != 0 && source.next_batch(batch)) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      if (!encoder.matches(batch, row)) {
        continue;
      }
      const std::uint64_t row_index = batch.places[row].row_index;
      const std::uint64_t number = mix(row_index ^ mix(seed));
      if (smallest.size() < count) {
        smallest.emplace(number, row_index);
      } else if (number < smallest.top().first) {
        smallest.pop();
        smallest.emplace(number, row_index);
      }
    }
  }
  std::vector<std::uint64_t> rows;
  rows.reserve(smallest.size());
  while (!smallest.empty()) {
    rows.push_back(smallest.top().second);
    smallest.pop();
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace batchllm
