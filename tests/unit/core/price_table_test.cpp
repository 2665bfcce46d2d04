// SPDX-License-Identifier: Apache-2.0
#include "core/price_table.h"

#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <limits>

using namespace batchllm;

namespace {

constexpr std::string_view k_table = R"({"schema": "batchllm.prices/1", "source": "here",
 "as_of": "2026-01-02", "models": {
  "openai/m": {"input": 0.15, "output": 0.6, "cached_input": 0.075, "context": 1000,
               "max_output": 100, "mode": "chat", "batch_input": 0.075, "batch_output": 0.3},
  "openai/m-2025-01-01": {"input": 1, "output": 2, "mode": "chat"},
  "x/a/b:c": {"input": 1.25, "output": 10, "mode": "chat",
              "tiers": [{"above": 200000, "input": 2.5, "output": 15, "cached_input": 0.25}]}}})";

Usage usage(std::int64_t input, std::int64_t output, std::int64_t cached = 0) {
  return Usage{input, output, cached};
}

}  // namespace

TEST_CASE("cost is exact and rounded up to micro-USD", "[price]") {
  const PriceTable table = PriceTable::parse(k_table, "t");
  const Price price = *table.find({"openai", "m"});
  CHECK(cost_micro_usd(price, usage(0, 0)) == 0);
  CHECK(cost_micro_usd(price, usage(1, 0)) == 1);  // 0.15
  CHECK(cost_micro_usd(price, usage(1'000'000, 0)) == 150'000);
  CHECK(cost_micro_usd(price, usage(1'000'000, 1'000'000)) == 750'000);
  CHECK(cost_micro_usd(price, usage(1'000'000, 0, 1'000'000)) == 75'000);
  CHECK(cost_micro_usd(price, usage(1'000'000, 0, 400'000)) == 120'000);
  CHECK(cost_micro_usd(price, usage(20, 10)) == 9);     // 3 + 6
  CHECK(cost_micro_usd(price, usage(21, 10)) == 10);    // 3.15 + 6
  CHECK(cost_micro_usd(price, usage(10, 0, 50)) == 1);  // more cached than sent: all cached
  CHECK(cost_micro_usd(price, usage(-5, -5, -5)) == 0);
  constexpr auto k_most = std::numeric_limits<std::int64_t>::max();
  CHECK(cost_micro_usd(price, usage(k_most, k_most, k_most)) > 0);
}

TEST_CASE("a long prompt is billed at its tier as a whole", "[price]") {
  const Price price = *PriceTable::parse(k_table, "t").find({"x", "a/b:c"});
  CHECK(cost_micro_usd(price, usage(200'000, 0)) == 250'000);
  CHECK(cost_micro_usd(price, usage(200'001, 0)) == 500'003);  // 500,002.5
  CHECK(cost_micro_usd(price, usage(400'000, 100, 400'000)) == 101'500);
  // Without a price of their own cached tokens cost as much as others.
  CHECK(cost_micro_usd(price, usage(1000, 0, 1000)) == 1250);
}

TEST_CASE("a model is found by its name, else by its family", "[price]") {
  const PriceTable table = PriceTable::parse(k_table, "t");
  CHECK(table.find({"openai", "m"})->base.input == 150'000);
  CHECK(table.find({"openai", "m-2025-01-01"})->base.input == 1'000'000);
  CHECK(table.find({"openai", "m-2024-07-18"})->listed_as == "openai/m");
  CHECK(table.find({"openai", "m-20240718"})->listed_as == "openai/m");
  CHECK(table.find({"openai", "m-latest"})->listed_as == "openai/m");
  CHECK(table.find({"x", "a/b:c"})->base.output == 10'000'000);
  CHECK_FALSE(table.find({"openai", "m2"}));
  CHECK_FALSE(table.find({"openai", "m-mini"}));
  CHECK_FALSE(table.find({"openai", "m-2024-7-18"}));
  CHECK_FALSE(table.find({"other", "m"}));
  CHECK_FALSE(table.find({"openai", ""}));
}

TEST_CASE("local providers cost nothing", "[price]") {
  const PriceTable table = PriceTable::parse(k_table, "t");
  for (const auto* provider : {"ollama", "llamacpp", "simulator"}) {
    const auto price = table.find({provider, "anything"});
    REQUIRE(price);
    CHECK(cost_micro_usd(*price, usage(1'000'000, 1'000'000)) == 0);
    CHECK(price->listed_as.empty());
  }
}

TEST_CASE("limits and batch prices come with the price", "[price]") {
  const Price price = *PriceTable::parse(k_table, "t").find({"openai", "m"});
  CHECK(price.context_tokens == 1000);
  CHECK(price.max_output_tokens == 100);
  CHECK(price.mode == "chat");
  REQUIRE(price.batch);
  CHECK(price.batch->output == 300'000);
}

TEST_CASE("the built-in table is complete", "[price]") {
  const PriceTable& table = PriceTable::built_in();
  CHECK(table.entries().size() > 200);
  CHECK(table.as_of().size() == 10);
  CHECK_THAT(table.source(), ContainsSubstring("@earendil-works/pi-ai"));
  const auto mini = table.find({"openai", "gpt-4o-mini-2024-07-18"});
  REQUIRE(mini);
  CHECK(mini->base.input == 150'000);
  CHECK(mini->base.cached_input == 75'000);
  CHECK(mini->base.output == 600'000);
  for (const auto& [name, price] : table.entries()) {
    CAPTURE(name);
    CHECK(name.find('/') != std::string::npos);
    CHECK(price.base.cached_input <= price.base.input);
    CHECK((price.mode == "chat" || price.mode == "embedding"));
  }
}

TEST_CASE("a table that is none is refused", "[price]") {
  struct Case {
    std::string_view json;
    std::string_view message;
  };

  const auto c = GENERATE(values<Case>({
      {"", "prices.json: not a JSON object"},
      {"[]", "prices.json: not a JSON object"},
      {"{}", "prices.json: \"schema\" is not \"batchllm.prices/1\""},
      {R"({"schema": "batchllm.prices/1"})", "\"models\" is missing"},
      {R"({"schema": "batchllm.prices/1", "models": {"a/b": 1}})", "a/b needs input, output"},
      {R"({"schema": "batchllm.prices/1", "models": {"a/b": {"input": -1, "output": 1, "mode": "chat"}}})",
       "a/b needs input, output"},
      {R"({"schema": "batchllm.prices/1", "models": {"a/b": {"input": 1, "output": 1, "mode": "chat", "tiers": [1]}}})",
       "a/b needs input, output"},
  }));
  CAPTURE(c.json);
  const auto error = thrown_error([&] { (void)PriceTable::parse(c.json, "prices.json"); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::config_invalid);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.message)));
}
