// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"
#include "core/row_task.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace batchllm {

// What one request for many rows may hold.
struct BundleLimits {
  std::size_t rows = 1;
  std::optional<std::int64_t> tokens;        // as estimated
  std::size_t bytes = std::size_t{8} << 20;  // of the rows' parts of the request
};

// A task that asks for all of `rows` by one request: not a row itself. Its `body` is written when
// it is sent; each row keeps its own part, so that the request can be cut in two.
std::unique_ptr<RowTask> bundle_rows(std::vector<std::unique_ptr<RowTask>> rows);

// Two tasks for the two halves of a bundle of several rows, in their order.
std::pair<std::unique_ptr<RowTask>, std::unique_ptr<RowTask>> halve_bundle(
    std::unique_ptr<RowTask> bundle);

// Puts rows together until they fill a request. Time comes in as a value. Not thread-safe: network
// thread.
class RowBundler {
 public:
  // How long a row waits for others that are to share its request.
  static constexpr Milliseconds k_patience{100};

  explicit RowBundler(const BundleLimits& limits) : limits_(limits) {}

  // Takes a row. Returns a request that is full now, with this row or without it; null: not yet.
  std::unique_ptr<RowTask> add(std::unique_ptr<RowTask> row, TimePoint now);

  // The request with what there is; null when there is nothing.
  std::unique_ptr<RowTask> take();

  // When what there is should wait no longer; nullopt when there is nothing.
  std::optional<TimePoint> due() const noexcept { return due_; }

  void clear();

 private:
  BundleLimits limits_;
  std::vector<std::unique_ptr<RowTask>> rows_;
  std::int64_t tokens_ = 0;
  std::size_t bytes_ = 0;
  std::optional<TimePoint> due_;
};

// Shares a whole number out in proportion to weights, so that the shares make up the whole exactly.
class ShareOut {
 public:
  ShareOut(std::int64_t whole, std::int64_t all_weights) : whole_(whole), weights_(all_weights) {}

  // The share of the next one.
  std::int64_t next(std::int64_t weight) noexcept;

 private:
  std::int64_t whole_;
  std::int64_t weights_;
  std::int64_t seen_ = 0;
  std::int64_t given_ = 0;
};

}  // namespace batchllm
