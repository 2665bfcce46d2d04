// SPDX-License-Identifier: Apache-2.0
#include "core/row_bundle.h"

#include "tests/support/catch.h"

#include <limits>
#include <string>
#include <utility>

using namespace batchllm;

namespace {

std::unique_ptr<RowTask> row(std::uint64_t index, std::int64_t tokens = 10, std::size_t bytes = 1) {
  auto task = std::make_unique<RowTask>();
  task->place.row_index = index;
  task->estimated_tokens = tokens;
  task->body.assign(bytes, 'x');
  return task;
}

std::vector<std::uint64_t> indexes(const std::unique_ptr<RowTask>& bundle) {
  std::vector<std::uint64_t> found;
  if (bundle != nullptr) {
    for (const auto& task : bundle->rows) {
      found.push_back(task->place.row_index);
    }
  }
  return found;
}

using Indexes = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("rows share a request until it is full", "[row_bundle]") {
  RowBundler bundler({.rows = 3, .tokens = std::nullopt});
  const TimePoint now{};
  CHECK(bundler.add(row(0), now) == nullptr);
  CHECK(bundler.add(row(1), now) == nullptr);
  const auto full = bundler.add(row(2), now);
  CHECK(indexes(full) == Indexes{0, 1, 2});
  CHECK(full->estimated_tokens == 30);
  CHECK_FALSE(bundler.due());
  CHECK(bundler.take() == nullptr);
}

TEST_CASE("a row for which there is no room begins the next request", "[row_bundle]") {
  const TimePoint now{};
  RowBundler by_tokens({.rows = 100, .tokens = 25});
  CHECK(by_tokens.add(row(0), now) == nullptr);
  CHECK(by_tokens.add(row(1), now) == nullptr);
  CHECK(indexes(by_tokens.add(row(2), now)) == Indexes{0, 1});
  // One that is too large for every request goes alone.
  CHECK(indexes(by_tokens.add(row(3, 1000), now)) == Indexes{2});
  CHECK(indexes(by_tokens.add(row(4), now)) == Indexes{3});
  RowBundler by_bytes({.rows = 100, .tokens = std::nullopt, .bytes = 10});
  CHECK(by_bytes.add(row(0, 1, 6), now) == nullptr);
  CHECK(indexes(by_bytes.add(row(1, 1, 6), now)) == Indexes{0});
  CHECK(indexes(by_bytes.take()) == Indexes{1});
}

TEST_CASE("the first row of a request says how long the others are waited for", "[row_bundle]") {
  RowBundler bundler({.rows = 10, .tokens = std::nullopt});
  const TimePoint begin{Milliseconds(5000)};
  CHECK(bundler.add(row(0), begin) == nullptr);
  CHECK(bundler.add(row(1), begin + Milliseconds(60)) == nullptr);
  CHECK(bundler.due() == begin + RowBundler::k_patience);
  bundler.clear();
  CHECK_FALSE(bundler.due());
}

TEST_CASE("a bundle is cut in two halves that keep the order", "[row_bundle]") {
  std::vector<std::unique_ptr<RowTask>> rows;
  for (std::uint64_t i = 0; i < 5; ++i) {
    rows.push_back(row(i, static_cast<std::int64_t>(i)));
  }
  const auto [first, second] = halve_bundle(bundle_rows(std::move(rows)));
  CHECK(indexes(first) == Indexes{0, 1});
  CHECK(indexes(second) == Indexes{2, 3, 4});
  CHECK(first->estimated_tokens == 1);
  CHECK(second->estimated_tokens == 9);
}

TEST_CASE("shares make up the whole", "[row_bundle]") {
  ShareOut thirds(100, 3);
  CHECK(thirds.next(1) == 33);
  CHECK(thirds.next(1) == 33);
  CHECK(thirds.next(1) == 34);
  ShareOut small(2, 1000);
  std::int64_t sum = 0;
  for (int i = 0; i < 1000; ++i) {
    sum += small.next(1);
  }
  CHECK(sum == 2);
  ShareOut weightless(7, 0);
  CHECK(weightless.next(0) == 7);
  CHECK(weightless.next(0) == 0);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() / 2;
  ShareOut large(most, most);
  CHECK(large.next(most) == most);
}
