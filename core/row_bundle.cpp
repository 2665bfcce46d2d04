// SPDX-License-Identifier: Apache-2.0
#include "core/row_bundle.h"

#include <iterator>

namespace batchllm {

std::unique_ptr<RowTask> bundle_rows(std::vector<std::unique_ptr<RowTask>> rows) {
  auto bundle = std::make_unique<RowTask>();
  for (const auto& row : rows) {
    bundle->estimated_tokens += row->estimated_tokens;
  }
  bundle->rows = std::move(rows);
  return bundle;
}

std::pair<std::unique_ptr<RowTask>, std::unique_ptr<RowTask>> halve_bundle(
    std::unique_ptr<RowTask> bundle) {
  auto& rows = bundle->rows;
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
  std::vector<std::unique_ptr<RowTask>> second(std::make_move_iterator(middle),
                                               std::make_move_iterator(rows.end()));
  rows.erase(middle, rows.end());
  return {bundle_rows(std::move(rows)), bundle_rows(std::move(second))};
}

std::unique_ptr<RowTask> RowBundler::add(std::unique_ptr<RowTask> row, TimePoint now) {
  const bool has_room = (!limits_.tokens || tokens_ + row->estimated_tokens <= *limits_.tokens) &&
                        bytes_ + row->body.size() <= limits_.bytes;
  std::unique_ptr<RowTask> full = has_room ? nullptr : take();
  if (rows_.empty()) {
    due_ = now + k_patience;
  }
  tokens_ += row->estimated_tokens;
  bytes_ += row->body.size();
  rows_.push_back(std::move(row));
  if (full == nullptr && rows_.size() >= limits_.rows) {
    return take();
  }
  return full;
}

std::unique_ptr<RowTask> RowBundler::take() {
  if (rows_.empty()) {
    return nullptr;
  }
  auto bundle = bundle_rows(std::move(rows_));
  clear();
  return bundle;
}

void RowBundler::clear() {
  rows_.clear();
  tokens_ = 0;
  bytes_ = 0;
  due_.reset();
}

std::int64_t ShareOut::next(std::int64_t weight) noexcept {
  seen_ += weight;
  // Wide: tokens times micro-USD may pass 64 bits.
  __extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using): no alias takes the word
  const std::int64_t so_far =
      weights_ == 0 ? whole_
                    : static_cast<std::int64_t>(static_cast<Wide>(whole_) * seen_ / weights_);
  const std::int64_t share = so_far - given_;
  given_ = so_far;
  return share;
}

}  // namespace batchllm
