// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"
#include "cli/ui.h"

namespace batchllm {

// Compares the answers of two jobs on the same input, row by row (schema "batchllm.diff/1" with
// --json). Returns the exit code; throws Error.
int results_diff_command(const ResultsDiffRequest& request, Ui& ui);

}  // namespace batchllm
