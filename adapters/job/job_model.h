// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"
#include "core/job_settings.h"
#include "core/price_table.h"
#include "core/provider.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace batchllm {

// The model that a job asks: provider, price, what it is called in messages.
struct JobModel {
  std::unique_ptr<Provider> provider;
  std::optional<Price> price;
  std::string provider_title;
  std::string endpoint;  // the address, for messages
  std::int64_t worst_case_output_tokens = 0;
};

// Address and key come from the settings, else from `environment` (see find_api_key for how the key
// is looked for). `with_key`: false for a dry run, which sends nothing. Throws Error(usage) for a
// model that cannot be, Error(key_missing).
JobModel make_model(const JobSettings& settings,
                    const EnvironmentLookup& environment,
                    bool with_key);

}  // namespace batchllm
