// SPDX-License-Identifier: Apache-2.0
#include "core/budget.h"

#include "tests/support/catch.h"

using namespace batchllm;

TEST_CASE("the worst case of every request in flight is held back", "[budget]") {
  Budget budget(100, 30);
  CHECK(budget.reserve(40));
  CHECK(budget.reserve(30));
  CHECK_FALSE(budget.reserve(1));
  CHECK_FALSE(budget.holds_nothing());
  budget.settle(40, 5);
  CHECK(budget.spent() == 35);
  CHECK(budget.reserve(35));
  CHECK_FALSE(budget.reserve(1));
  budget.settle(35, 0);
  budget.settle(30, 30);
  CHECK(budget.holds_nothing());
  CHECK(budget.spent() == 65);
}

TEST_CASE("what a request without an answer may have cost stays held back", "[budget]") {
  Budget budget(100, 30, 20);
  CHECK_FALSE(budget.reserve(51));
  CHECK(budget.reserve(40));
  budget.settle_unanswered(40);
  CHECK(budget.holds_nothing());
  CHECK(budget.unanswered() == 60);
  CHECK(budget.spent() == 30);
  CHECK(budget.reserve(10));
  CHECK_FALSE(budget.reserve(1));
}

TEST_CASE("without a limit everything is allowed and counted", "[budget]") {
  Budget budget(std::nullopt, 0);
  CHECK(budget.reserve(1'000'000'000'000));
  budget.settle(1'000'000'000'000, 7);
  CHECK(budget.spent() == 7);
}
