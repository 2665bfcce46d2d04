// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/known_models.h"

#include <algorithm>
#include <set>
#include <utility>

namespace batchllm {
namespace {

const std::string& price_list_of(const ProviderEntry& provider) {
  return provider.price_list.empty() ? provider.name : provider.price_list;
}

std::optional<Price> price_of(const ProviderEntry& provider, const std::string& model) {
  auto price = PriceTable::built_in().find({price_list_of(provider), model});
  if (!price && provider.is_local) {
    price = Price{};
    price->mode = "chat";
  }
  return price;
}

}  // namespace

KnownModel known_model(const ModelCatalog& catalog,
                       const ModelSpec& spec,
                       const ModelListCache::Entry* cached) {
  KnownModel known{spec, catalog.traits_of(spec), std::nullopt, std::nullopt};
  known.price = price_of(*catalog.find_provider(spec.provider), spec.model);
  known.context_tokens = known.traits.context_tokens;
  if (!known.context_tokens && cached != nullptr) {
    for (const ListedModel& model : cached->models) {
      if (model.name == spec.model) {
        known.context_tokens = model.context_tokens;
      }
    }
  }
  if (!known.context_tokens && known.price) {
    known.context_tokens = known.price->context_tokens;
  }
  return known;
}

std::vector<KnownModel> known_models(const ModelCatalog& catalog,
                                     const ProviderEntry& provider,
                                     const ModelListCache::Entry* cached) {
  std::set<std::string> names(provider.models.begin(), provider.models.end());
  const std::string prefix = price_list_of(provider) + "/";
  const auto& prices = PriceTable::built_in().entries();
  for (auto entry = prices.lower_bound(prefix);
       entry != prices.end() && entry->first.starts_with(prefix);
       ++entry) {
    if (entry->second.mode == "chat") {
      names.insert(entry->first.substr(prefix.size()));
    }
  }
  if (cached != nullptr) {
    for (const ListedModel& model : cached->models) {
      const auto price = prices.find(prefix + model.name);
      if (price == prices.end() || price->second.mode == "chat") {
        names.insert(model.name);
      }
    }
  }
  std::vector<KnownModel> models;
  models.reserve(names.size());
  for (const std::string& name : names) {
    models.push_back(known_model(catalog, {provider.name, name}, cached));
  }
  return models;
}

std::vector<std::string> features_of(const KnownModel& model) {
  std::vector<std::string> features;
  const auto add = [&features](bool has, const char* name) {
    if (has) {
      features.emplace_back(name);
    }
  };
  const ModelTraits& traits = model.traits;
  add(traits.schema_mode == SchemaMode::native || traits.schema_mode == SchemaMode::tool, "schema");
  add(!traits.effort.empty(), "effort");
  add(!traits.seed.empty(), "seed");
  add(traits.takes_temperature, "temperature");
  add(model.price && model.price->base.cached_input < model.price->base.input, "cache");
  add(model.price && model.price->batch.has_value(), "batch");
  return features;
}

}  // namespace batchllm
