// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"
#include "cli/ui.h"

namespace batchllm {

// How a job stands, in a few lines (schema "batchllm.job/1" with --json).
int results_show_command(const ResultsShowRequest& request, Ui& ui);

// Writes what is answered so far beside its rows, from the inputs and the ledger.
int results_export_command(const ResultsExportRequest& request, Ui& ui);

// Failed rows by the way they failed, and rows in doubt (schema "batchllm.errors/1").
int results_errors_command(const ResultsErrorsRequest& request, Ui& ui);

}  // namespace batchllm
