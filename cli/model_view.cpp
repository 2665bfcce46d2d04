// SPDX-License-Identifier: Apache-2.0
#include "cli/model_view.h"

#include "core/json_text.h"
#include "core/redaction.h"
#include "core/text.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace batchllm {
namespace {

// USD for a million tokens, as short as it can be said: "$0.15".
std::string price_text(std::int64_t micro_usd) {
  return fmt::format("${:g}", static_cast<double>(micro_usd) / 1e6);
}

std::string tokens_text(const std::optional<std::int64_t>& tokens) {
  return tokens ? with_thousands(static_cast<std::uint64_t>(*tokens)) : "-";
}

std::string_view schema_mode_name(SchemaMode mode) {
  constexpr std::array<std::string_view, 4> k_names = {
      "native", "json_object", "tool", "instructions"};
  return k_names.at(static_cast<std::size_t>(mode));
}

void write_tokens(JsonWriter& json,
                  std::string_view name,
                  const std::optional<std::int64_t>& tokens) {
  json.key(name);
  tokens ? json.number(*tokens) : json.null();
}

void write_usd(JsonWriter& json, std::string_view name, std::int64_t micro_usd) {
  json.key(name).decimal(static_cast<double>(micro_usd) / 1e6, 6);
}

void write_token_price(JsonWriter& json, const TokenPrice& price) {
  write_usd(json, "input_usd", price.input);
  write_usd(json, "output_usd", price.output);
  write_usd(json, "cached_input_usd", price.cached_input);
}

// USD per 1,000,000 tokens; null where nobody knows.
void write_price(JsonWriter& json, const std::optional<Price>& price) {
  json.key("price");
  if (!price) {
    json.null();
    return;
  }
  json.begin_object();
  write_token_price(json, price->base);
  json.key("tiers").begin_array();
  for (const Price::Tier& tier : price->tiers) {
    json.begin_object().key("above_input_tokens").number(tier.above);
    write_token_price(json, tier.price);
    json.end_object();
  }
  json.end_array().key("batch");
  if (price->batch) {
    json.begin_object();
    write_token_price(json, *price->batch);
    json.end_object();
  } else {
    json.null();
  }
  json.end_object();
}

void write_known(JsonWriter& json, const KnownModel& model) {
  json.key("model").string(as_utf8(model.spec.text()));
  json.key("provider").string(model.spec.provider);
  json.key("name").string(as_utf8(model.spec.model));
  write_tokens(json, "context_tokens", model.context_tokens);
  write_tokens(json,
               "max_output_tokens",
               model.traits.max_output_tokens ? model.traits.max_output_tokens
               : model.price                  ? model.price->max_output_tokens
                                              : std::nullopt);
  json.key("features").begin_array();
  for (const std::string& feature : features_of(model)) {
    json.string(feature);
  }
  json.end_array();
  write_price(json, model.price);
}

std::string_view poll_state_name(const PolledProvider& provider) {
  if (provider.state == PollState::no_key) {
    return "no_key";
  }
  return provider.state == PollState::no_address ? "no_address"
                                                 : listing_end_name(provider.listing.end);
}

std::size_t longest_name(const std::vector<KnownModel>& models) {
  constexpr std::size_t k_longest = 60;
  std::size_t longest = 5;
  for (const KnownModel& model : models) {
    longest = std::max(longest, character_count(model.spec.text()));
  }
  return std::min(longest, k_longest);
}

// What a variable or file said; a password in it stays out.
std::string shown_url(const std::string& url) {
  return redacted(printable(url));
}

std::string key_variables(const ProviderEntry& provider) {
  std::string text = provider.key_env;
  if (!provider.key_env_too.empty()) {
    text += " or " + provider.key_env_too;
  }
  return text;
}

}  // namespace

std::string models_table(const std::vector<KnownModel>& models) {
  const std::size_t width = longest_name(models);
  std::string out = fmt::format(
      "{:<{}} {:>11} {:>9} {:>9}  {}\n", "MODEL", width, "CONTEXT", "IN", "OUT", "FEATURES");
  for (const KnownModel& model : models) {
    const auto& price = model.price;
    out += fmt::format("{:<{}} {:>11} {:>9} {:>9}  {}\n",
                       one_line(model.spec.text(), width),
                       width,
                       tokens_text(model.context_tokens),
                       price ? price_text(price->base.input) : "-",
                       price ? price_text(price->base.output) : "-",
                       fmt::join(features_of(model), ","));
  }
  return out;
}

std::string models_json(const std::vector<KnownModel>& models,
                        const std::vector<PolledProvider>& polled) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.models/1");
  json.key("prices_as_of").string(PriceTable::built_in().as_of());
  json.key("models").begin_array();
  for (const KnownModel& model : models) {
    json.begin_object();
    write_known(json, model);
    json.end_object();
  }
  json.end_array().key("asked").begin_array();
  for (const PolledProvider& provider : polled) {
    const bool was_asked = provider.state == PollState::asked;
    json.begin_object().key("provider").string(provider.entry->name);
    json.key("state").string(poll_state_name(provider));
    json.key("models").number(static_cast<std::uint64_t>(provider.listing.models.size()));
    json.key("is_cut").boolean(provider.listing.is_cut);
    json.key("message").string(as_utf8(was_asked ? provider.listing.message : provider.why));
    json.end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

std::string prices_table(const std::vector<KnownModel>& models) {
  constexpr std::string_view k_line = "{:<{}} {:>9} {:>9} {:>9} {:>9} {:>9}  {}\n";
  const std::size_t width = longest_name(models);
  std::string out =
      fmt::format(k_line, "MODEL", width, "IN", "OUT", "CACHED", "BATCH IN", "BATCH OUT", "ABOVE");
  for (const KnownModel& model : models) {
    const Price& price = *model.price;
    std::string tiers;
    for (const Price::Tier& tier : price.tiers) {
      tiers += fmt::format("{}{} tokens: {} {}",
                           tiers.empty() ? "" : "; ",
                           with_thousands(static_cast<std::uint64_t>(tier.above)),
                           price_text(tier.price.input),
                           price_text(tier.price.output));
    }
    out += fmt::format(k_line,
                       one_line(model.spec.text(), width),
                       width,
                       price_text(price.base.input),
                       price_text(price.base.output),
                       price_text(price.base.cached_input),
                       price.batch ? price_text(price.batch->input) : "-",
                       price.batch ? price_text(price.batch->output) : "-",
                       tiers);
    out.resize(out.find_last_not_of(" \n") + 1);
    out += '\n';
  }
  return out;
}

std::string prices_json(const std::vector<KnownModel>& models, const PriceTable& table) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.model_prices/1");
  json.key("as_of").string(table.as_of()).key("source").string(table.source());
  json.key("unit").string("USD per 1,000,000 tokens").key("models").begin_array();
  for (const KnownModel& model : models) {
    json.begin_object().key("model").string(model.spec.text());
    json.key("listed_as").string(model.price->listed_as);
    write_price(json, model.price);
    json.end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

std::string model_text(const ShownModel& shown) {
  const KnownModel& model = shown.model;
  const ProviderEntry& provider = *shown.provider;
  std::string out;
  const auto line = [&out](std::string_view name, const std::string& value) {
    out += fmt::format("{:<16} {}\n", name, value.empty() ? "-" : value);
  };
  line("model", printable(model.spec.text()));
  if (shown.asked_for != model.spec.text()) {
    line("asked for as", one_line(shown.asked_for, 100));
  }
  line("provider", fmt::format("{} ({})", provider.title, provider.name));
  line("dialect", provider.dialect);
  line("address",
       shown.base_url.empty() ? shown_url(provider.base_url) : shown_url(shown.base_url));
  line("key variable", key_variables(provider));
  line("context", tokens_text(model.context_tokens));
  line("features", fmt::format("{}", fmt::join(features_of(model), ", ")));
  line("schema", std::string(schema_mode_name(model.traits.schema_mode)));
  line("token limit", model.traits.token_limit);
  line("effort", model.traits.effort);
  line("seed", model.traits.seed);
  if (!model.price) {
    line("price", "not known: --max-cost cannot hold");
  } else if (model.price->listed_as.empty()) {
    line("price", "none");
  } else {
    const TokenPrice& base = model.price->base;
    line("price",
         fmt::format("{} in, {} out, {} cached, per 1,000,000 tokens (as {}, {})",
                     price_text(base.input),
                     price_text(base.output),
                     price_text(base.cached_input),
                     model.price->listed_as,
                     PriceTable::built_in().as_of()));
  }
  return out;
}

std::string model_json(const ShownModel& shown) {
  const KnownModel& model = shown.model;
  const ProviderEntry& provider = *shown.provider;
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.model/1");
  write_known(json, model);
  json.key("asked_for").string(as_utf8(shown.asked_for));
  json.key("is_listed").boolean(shown.is_listed);
  json.key("provider_title").string(as_utf8(provider.title));
  json.key("dialect").string(provider.dialect);
  json.key("base_url");
  shown.base_url.empty() ? json.null() : json.string(as_utf8(shown_url(shown.base_url)));
  json.key("key_env").begin_array();
  for (const std::string& variable : {provider.key_env, provider.key_env_too}) {
    if (!variable.empty()) {
      json.string(as_utf8(variable));
    }
  }
  json.end_array();
  json.key("is_local").boolean(provider.is_local);
  json.key("traits").begin_object();
  json.key("schema").string(schema_mode_name(model.traits.schema_mode));
  json.key("token_limit").string(as_utf8(model.traits.token_limit));
  json.key("system_role").string(as_utf8(model.traits.system_role));
  json.key("seed").string(as_utf8(model.traits.seed));
  json.key("effort").string(as_utf8(model.traits.effort));
  json.key("temperature").boolean(model.traits.takes_temperature);
  json.key("limit_required").boolean(model.traits.limit_is_required);
  json.end_object().end_object();
  return json.text() + "\n";
}

}  // namespace batchllm
