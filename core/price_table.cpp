// SPDX-License-Identifier: Apache-2.0
#include "core/price_table.h"

#include "core/built_in_prices.h"
#include "core/error.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace batchllm {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr double k_micro = 1e6;
constexpr double k_highest_price = 1e6;  // USD per million tokens; above, the file is wrong

constexpr std::array<std::string_view, 4> k_local_providers = {
    "llamacpp", "ollama", "simulator", "vllm"};

std::optional<double> number_in(const object& entry, std::string_view name) {
  double value = 0;
  if (entry[name].get(value) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return value;
}

// USD per million tokens, as written in the file, in micro-USD.
std::optional<std::int64_t> price_in(const object& entry, std::string_view name) {
  const auto usd = number_in(entry, name);
  if (!usd || !(*usd >= 0) || *usd > k_highest_price) {
    return std::nullopt;
  }
  return std::llround(*usd * k_micro);
}

std::optional<std::int64_t> count_in(const object& entry, std::string_view name) {
  std::int64_t value = 0;
  if (entry[name].get(value) != simdjson::SUCCESS || value <= 0) {
    return std::nullopt;
  }
  return value;
}

std::optional<TokenPrice> token_price(const object& entry, std::string_view prefix) {
  const auto input = price_in(entry, fmt::format("{}input", prefix));
  const auto output = price_in(entry, fmt::format("{}output", prefix));
  if (!input || !output) {
    return std::nullopt;
  }
  const auto cached = price_in(entry, fmt::format("{}cached_input", prefix));
  return TokenPrice{*input, *output, cached.value_or(*input)};
}

// nullopt when the entry is not what it should be.
std::optional<Price> read_price(const object& entry) {
  Price price;
  const auto base = token_price(entry, "");
  std::string_view mode;
  if (!base || entry["mode"].get(mode) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  price.base = *base;
  price.mode = mode;
  price.batch = token_price(entry, "batch_");
  price.context_tokens = count_in(entry, "context");
  price.max_output_tokens = count_in(entry, "max_output");
  simdjson::dom::array tiers;
  if (entry["tiers"].get(tiers) == simdjson::SUCCESS) {
    for (const element tier : tiers) {
      object fields;
      if (tier.get(fields) != simdjson::SUCCESS) {
        return std::nullopt;
      }
      const auto above = count_in(fields, "above");
      const auto tier_price = token_price(fields, "");
      if (!above || !tier_price) {
        return std::nullopt;
      }
      price.tiers.push_back({*above, *tier_price});
    }
  }
  std::sort(price.tiers.begin(), price.tiers.end(), [](const auto& a, const auto& b) {
    return a.above < b.above;
  });
  return price;
}

[[noreturn]] void refuse_table(std::string_view origin, std::string_view what) {
  throw Error(ErrorCode::config_invalid,
              fmt::format("{}: {}", origin, what),
              "a price table looks like share/prices.json of batchllm");
}

bool all_digits(std::string_view text) noexcept {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// `name` without "-2024-07-18", "-20240718" or "-latest" at its end; empty when it has none.
std::string_view without_date(std::string_view name) noexcept {
  constexpr std::string_view k_latest = "-latest";
  if (name.ends_with(k_latest)) {
    return name.substr(0, name.size() - k_latest.size());
  }
  constexpr std::size_t k_compact = 9;  // -20240718
  if (name.size() > k_compact && name[name.size() - k_compact] == '-' &&
      all_digits(name.substr(name.size() - k_compact + 1))) {
    return name.substr(0, name.size() - k_compact);
  }
  constexpr std::size_t k_dashed = 11;  // -2024-07-18
  if (name.size() <= k_dashed) {
    return {};
  }
  const std::string_view date = name.substr(name.size() - k_dashed);
  const bool is_date = date[0] == '-' && all_digits(date.substr(1, 4)) && date[5] == '-' &&
                       all_digits(date.substr(6, 2)) && date[8] == '-' &&
                       all_digits(date.substr(9));
  return is_date ? name.substr(0, name.size() - k_dashed) : std::string_view{};
}

}  // namespace

std::int64_t cost_micro_usd(const Price& price, const Usage& usage) noexcept {
  // One request never has more; the bound keeps the products within 64 bits.
  constexpr std::int64_t k_most_tokens = 1'000'000'000;
  constexpr std::int64_t k_per_million = 1'000'000;
  const std::int64_t input = std::clamp<std::int64_t>(usage.input_tokens, 0, k_most_tokens);
  const std::int64_t output = std::clamp<std::int64_t>(usage.output_tokens, 0, k_most_tokens);
  const std::int64_t cached = std::clamp<std::int64_t>(usage.cached_tokens, 0, input);
  const TokenPrice* rate = &price.base;
  for (const auto& tier : price.tiers) {
    rate = input > tier.above ? &tier.price : rate;
  }
  // Whole micro-USD and the rest apart, so that no product overflows at any price.
  std::int64_t whole = 0;
  std::int64_t rest = 0;
  const auto add = [&](std::int64_t tokens, std::int64_t per_million) {
    whole += tokens * (per_million / k_per_million);
    rest += tokens * (per_million % k_per_million);
  };
  add(input - cached, rate->input);
  add(cached, rate->cached_input);
  add(output, rate->output);
  return whole + (rest + k_per_million - 1) / k_per_million;
}

const PriceTable& PriceTable::built_in() {
  static const PriceTable table = [] {
    std::string json;
    for (const std::string_view piece : built_in_prices_json()) {
      json += piece;
    }
    return parse(json, "the built-in price table");
  }();
  return table;
}

PriceTable PriceTable::parse(std::string_view json, std::string_view origin) {
  simdjson::dom::parser parser;
  object document;
  object models;
  if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS) {
    refuse_table(origin, "not a JSON object");
  }
  std::string_view schema;
  if (document["schema"].get(schema) != simdjson::SUCCESS || schema != "batchllm.prices/1") {
    refuse_table(origin, "\"schema\" is not \"batchllm.prices/1\"");
  }
  if (document["models"].get(models) != simdjson::SUCCESS) {
    refuse_table(origin, "\"models\" is missing");
  }
  PriceTable table;
  std::string_view text;
  table.source_ = document["source"].get(text) == simdjson::SUCCESS ? text : std::string_view{};
  table.as_of_ = document["as_of"].get(text) == simdjson::SUCCESS ? text : std::string_view{};
  for (const auto& field : models) {
    object entry;
    std::optional<Price> price;
    if (field.value.get(entry) == simdjson::SUCCESS) {
      price = read_price(entry);
    }
    if (!price) {
      refuse_table(origin, fmt::format("{} needs input, output and mode", field.key));
    }
    price->listed_as = field.key;
    table.entries_.insert_or_assign(std::string(field.key), std::move(*price));
  }
  return table;
}

std::optional<Price> PriceTable::find(const ModelSpec& spec) const {
  const std::string name = spec.text();
  if (const auto exact = entries_.find(name); exact != entries_.end()) {
    return exact->second;
  }
  if (std::find(k_local_providers.begin(), k_local_providers.end(), spec.provider) !=
      k_local_providers.end()) {
    Price free;
    free.mode = "chat";
    return free;
  }
  if (const std::string_view family = without_date(name); !family.empty()) {
    if (const auto found = entries_.find(family); found != entries_.end()) {
      return found->second;
    }
  }
  return std::nullopt;
}

}  // namespace batchllm
