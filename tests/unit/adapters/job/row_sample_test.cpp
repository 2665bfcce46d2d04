// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/row_sample.h"

#include "tests/support/catch.h"
#include "tests/support/memory_row_source.h"
#include "tests/support/text_row_encoder.h"

#include <algorithm>

using namespace batchllm;

namespace {

std::vector<std::uint64_t> sample(std::size_t rows,
                                  std::uint64_t count,
                                  std::uint64_t seed,
                                  const std::string& needle = {},
                                  std::size_t batch_rows = 100) {
  MemoryRowSource source(numbered_rows(rows), {}, batch_rows);
  return sample_rows(source, TextRowEncoder(needle), count, seed);
}

}  // namespace

TEST_CASE("a sample has the asked size, in order, and is the same for the same seed",
          "[row_sample]") {
  const auto rows = sample(1000, 50, 7);
  CHECK(rows.size() == 50);
  CHECK(std::is_sorted(rows.begin(), rows.end()));
  CHECK(std::adjacent_find(rows.begin(), rows.end()) == rows.end());
  CHECK(sample(1000, 50, 7, {}, 3) == rows);
  CHECK(sample(1000, 50, 8) != rows);
  CHECK(sample(5, 50, 7).size() == 5);
  CHECK(sample(1000, 0, 7).empty());
  CHECK(sample(0, 5, 7).empty());
}

TEST_CASE("only rows that match are sampled", "[row_sample]") {
  for (const auto row : sample(1000, 20, 1, "row 9")) {
    CHECK(std::to_string(row).front() == '9');
  }
}

TEST_CASE("a sample is even: no tenth of the input is left out or preferred", "[row_sample]") {
  std::vector<int> tenths(10);
  for (const auto row : sample(100'000, 10'000, 3)) {
    ++tenths[row / 10'000];
  }
  for (const int count : tenths) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}
