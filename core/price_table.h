// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model_spec.h"
#include "core/outcome.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Prices of one model in micro-USD per million tokens: whole numbers, so that sums are exact.
struct TokenPrice {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cached_input = 0;  // equals `input` where the provider lists no other price
};

// What a model costs, and its limits.
struct Price {
  TokenPrice base;

  // A request with more input tokens than `above` is billed at this price as a whole.
  struct Tier {
    std::int64_t above = 0;
    TokenPrice price;
  };

  std::vector<Tier> tiers;                        // rising by `above`
  std::optional<TokenPrice> batch;                // through the provider's batch API
  std::optional<std::int64_t> context_tokens;     // input and output together
  std::optional<std::int64_t> max_output_tokens;  // what one answer can have
  std::string mode;                               // "chat" or "embedding"
  std::string listed_as;  // the entry it was found under; empty: a local provider
};

// What a request has cost, in micro-USD, rounded up. Negative counts are taken as 0.
std::int64_t cost_micro_usd(const Price& price, const Usage& usage) noexcept;

// Prices by model spec. Immutable: any thread may read.
class PriceTable {
 public:
  // The table that ships with the program (share/prices.json), parsed at its first use.
  static const PriceTable& built_in();

  // Reads a table in the format of share/prices.json. Throws Error(config_invalid) naming `origin`.
  static PriceTable parse(std::string_view json, std::string_view origin);

  // The price of a model: its own entry, else that of its family when the name ends in a date or
  // "latest" (`gpt-4o-mini-2024-07-18`). Models of local providers cost nothing. nullopt when the
  // price is not known.
  std::optional<Price> find(const ModelSpec& spec) const;

  const std::map<std::string, Price, std::less<>>& entries() const noexcept { return entries_; }

  // Where the prices come from and of which day they are, for people.
  const std::string& source() const noexcept { return source_; }

  const std::string& as_of() const noexcept { return as_of_; }

 private:
  std::map<std::string, Price, std::less<>> entries_;
  std::string source_;
  std::string as_of_;
};

}  // namespace batchllm
