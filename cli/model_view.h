// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/provider_poll.h"
#include "adapters/providers/known_models.h"

#include <string>
#include <vector>

namespace batchllm {

// One model with everything that `models show` tells of it.
struct ShownModel {
  KnownModel model;
  const ProviderEntry* provider = nullptr;
  std::string asked_for;   // as it was written
  std::string base_url;    // empty: a variable that it needs is not set
  bool is_listed = false;  // by price table, files or provider; else its name was taken as it is
};

// Tables for people and documents for scripts; every text ends with a line break.
std::string models_table(const std::vector<KnownModel>& models);
std::string models_json(const std::vector<KnownModel>& models,
                        const std::vector<PolledProvider>& polled);
std::string prices_table(const std::vector<KnownModel>& models);
std::string prices_json(const std::vector<KnownModel>& models, const PriceTable& table);
std::string model_text(const ShownModel& shown);
std::string model_json(const ShownModel& shown);

}  // namespace batchllm
