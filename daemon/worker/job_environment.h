// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_catalog.h"
#include "core/config_layers.h"
#include "daemon/worker/worker_message.h"

namespace batchllm::daemon {

// What a job may know of the environment of the daemon, in which its worker runs. Who sends a job
// chooses both the variable of its key and the server that gets the key, so a job sees: the keys
// that came with its order; the variables in which known providers look for key and address, unless
// it `names_server` of its own (a base_url); those that `[daemon] key_env` allows, each with the
// NAME_FILE beside it; every variable only when the daemon's own user asked for the job. `order`
// and `models` outlive the lookup.
EnvironmentLookup job_environment(const RunOrder& order,
                                  const ModelCatalog& models,
                                  bool names_server,
                                  EnvironmentLookup process);

}  // namespace batchllm::daemon
