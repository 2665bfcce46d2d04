// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/cost_estimate.h"

#include "tests/support/catch.h"

using namespace batchllm;

namespace {

CostEstimate estimate_of(std::uint64_t rows) {
  CostEstimate estimate;
  estimate.rows = rows;
  estimate.rows_are_exact = true;
  estimate.input_tokens = static_cast<std::int64_t>(rows) * 100;
  estimate.input_cost_micro_usd = static_cast<std::int64_t>(rows) * 15;
  estimate.output_price = 600'000;
  return estimate;
}

}  // namespace

TEST_CASE("an estimate in words", "[cost_estimate]") {
  CostEstimate estimate = estimate_of(1);
  CHECK(
      describe_estimate(estimate, std::nullopt) ==
      "1 row, about 100 tokens in, about $0.000015 for them and $0.0006 for each 1,000 tokens out");
  estimate = estimate_of(20'000);
  estimate.rows_are_exact = false;
  CHECK(
      describe_estimate(estimate, 5'000'000) ==
      "about 20,000 rows, about 2.0M tokens in, about $0.3000 for them and $0.0006 for each 1,000 "
      "tokens out (limit $5.0000)");
  estimate.input_cost_micro_usd.reset();
  CHECK(describe_estimate(estimate, std::nullopt) ==
        "about 20,000 rows, about 2.0M tokens in, price not known");
}

TEST_CASE("what is left when some rows are done", "[cost_estimate]") {
  const CostEstimate all = estimate_of(200);
  const CostEstimate rest = all.without(150);
  CHECK(rest.rows == 50);
  CHECK(rest.input_tokens == 5'000);
  CHECK(rest.input_cost_micro_usd == 750);
  CHECK(rest.output_price == all.output_price);
  CHECK(all.without(0).input_tokens == all.input_tokens);
  // An estimate of the rows may be less than what is done.
  CHECK(all.without(201).rows == 0);
  CHECK(estimate_of(0).without(3).input_tokens == 0);
}
