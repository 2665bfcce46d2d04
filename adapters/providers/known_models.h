// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_catalog.h"
#include "adapters/providers/model_list_cache.h"
#include "core/price_table.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// What is known here of a model, without asking anybody.
struct KnownModel {
  ModelSpec spec;
  ModelTraits traits;
  std::optional<Price> price;
  std::optional<std::int64_t> context_tokens;
};

// What is known of the model of that name, be it listed anywhere or not. `cached` may be nullptr.
KnownModel known_model(const ModelCatalog& catalog,
                       const ModelSpec& spec,
                       const ModelListCache::Entry* cached);

// Every model of the provider that the price table, the user's files or its own list (`cached`, may
// be nullptr) names, by name. Models that do not chat are left out where that is known.
std::vector<KnownModel> known_models(const ModelCatalog& catalog,
                                     const ProviderEntry& provider,
                                     const ModelListCache::Entry* cached);

// What a model can, in words that the documentation explains: "schema", "effort", "seed",
// "temperature", "cache", "batch".
std::vector<std::string> features_of(const KnownModel& model);

}  // namespace batchllm
