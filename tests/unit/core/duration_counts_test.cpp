// SPDX-License-Identifier: Apache-2.0
#include "core/duration_counts.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using namespace batchllm;

TEST_CASE("without durations there is no quantile", "[durations]") {
  CHECK_FALSE(DurationCounts().quantile(0.5));
}

TEST_CASE("short durations are told exactly", "[durations]") {
  DurationCounts counts;
  for (std::int64_t ms = 1; ms <= 100; ++ms) {
    counts.add(ms);
  }
  CHECK(counts.count() == 100);
  CHECK(counts.quantile(0) == 1);
  CHECK(counts.quantile(0.5) == 50);
  CHECK(counts.quantile(0.95) == 95);
  CHECK(counts.quantile(1) == 100);
}

TEST_CASE("one duration is every quantile of itself", "[durations]") {
  const auto ms =
      GENERATE(as<std::int64_t>(), 0, 1, 127, 128, 129, 1'000, 65'535, 119'999, 86'400'000);
  DurationCounts counts;
  counts.add(ms);
  CHECK(counts.quantile(0.5) == ms);
  CHECK(counts.quantile(0.95) == ms);
}

TEST_CASE("what cannot be a duration counts as the nearest that can", "[durations]") {
  DurationCounts counts;
  counts.add(-5);
  CHECK(counts.quantile(1) == 0);
  counts.add(INT64_MAX);
  CHECK(counts.quantile(1) == 86'400'000);
}

TEST_CASE("quantiles of long durations are at most 1.6 % too long", "[durations]") {
  std::mt19937_64 random(7);  // NOLINT: the same durations every time
  std::lognormal_distribution<double> draw(7, 2);
  std::vector<std::int64_t> all;
  DurationCounts counts;
  for (int i = 0; i < 5000; ++i) {
    all.push_back(std::min<std::int64_t>(std::llround(draw(random)), 86'400'000));
    counts.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 1.0}) {
    CAPTURE(share);
    const auto rank = static_cast<std::size_t>(std::ceil(share * 5000));
    const std::int64_t exact = all[std::max<std::size_t>(rank, 1) - 1];
    REQUIRE(counts.quantile(share));
    CHECK(*counts.quantile(share) >= exact);
    CHECK(static_cast<double>(*counts.quantile(share)) <= static_cast<double>(exact) * 1.016);
  }
}
