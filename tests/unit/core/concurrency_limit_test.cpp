// SPDX-License-Identifier: Apache-2.0
#include "core/concurrency_limit.h"

#include "tests/support/catch.h"

#include <cstdint>
#include <vector>

using namespace batchllm;

TEST_CASE("a limit that was never set says so", "[concurrency_limit]") {
  ConcurrencyLimit limit;
  CHECK(limit.rows() == 0);
  limit.set(7);
  CHECK(limit.rows() == 7);
}

TEST_CASE("a watch is told of every change while it lives, after it is there to be read",
          "[concurrency_limit]") {
  ConcurrencyLimit limit;
  std::vector<std::int64_t> seen;
  {
    const ConcurrencyLimit::Watch watch(&limit, [&] { seen.push_back(limit.rows()); });
    limit.set(3);
    limit.set(9);
  }
  limit.set(5);
  CHECK(seen == std::vector<std::int64_t>{3, 9});
  const ConcurrencyLimit::Watch nothing(nullptr, [] { FAIL("nobody can change it"); });
}
