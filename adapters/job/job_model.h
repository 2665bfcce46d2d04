// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/document_cell.h"
#include "adapters/image_cell.h"
#include "adapters/job/job_surroundings.h"
#include "core/answer_form.h"
#include "core/config_layers.h"
#include "core/job_record.h"
#include "core/job_settings.h"
#include "core/price_table.h"
#include "core/provider.h"
#include "core/row_bundle.h"

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
  std::shared_ptr<const AnswerForm> form;  // null: any answer will do
  ImageLimits images;                      // what it takes of them
  DocumentLimits documents;                // the same
  std::optional<BundleLimits> bundle;      // rows that share a request, for embeddings
  std::string instructions;  // put behind the prompt, for a provider that cannot be told otherwise
};

// Makes the model's name a whole model spec where the user left the provider out. Throws
// Error(usage | model_unknown).
void name_model(JobSettings& settings, const ModelCatalog& models);

// The same for every step of a job.
void name_models(JobRecord& record, const ModelCatalog& models);

// Address and key come from the settings, else from the surroundings' environment (see find_api_key
// for how the key is looked for). `with_key`: false for a dry run, which sends nothing. Throws
// Error(usage) for a model that cannot be, Error(key_missing).
JobModel make_model(const JobSettings& settings,
                    const JobSurroundings& surroundings,
                    bool with_key);

}  // namespace batchllm
