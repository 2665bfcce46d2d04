// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/aws/metadata_server.h"
#include "adapters/providers/model_catalog.h"
#include "adapters/secrets/kept_keys.h"
#include "core/config_layers.h"

namespace batchllm {

// What a job finds where it runs: the models that are known, and the variables in which addresses
// and keys are looked for. Immutable; outlives the job's run.
struct JobSurroundings {
  ModelCatalog models;
  EnvironmentLookup environment;
  aws::AskMetadata ask_metadata = {};   // empty: roles of machines are not looked for
  secrets::FindKeptKey kept_keys = {};  // empty: keys are looked for in the environment alone
};

}  // namespace batchllm
