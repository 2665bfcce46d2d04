// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_call.h"

namespace batchllm {

// `batchllm models list|show|prices`. Returns the exit code; throws Error(model_unknown) for a
// model or provider that nobody knows, Error(config_invalid) for models.toml. Documents:
// "batchllm.models/1", "batchllm.model/1", "batchllm.model_prices/1".
int models_command(const CommandCall& call);

}  // namespace batchllm
