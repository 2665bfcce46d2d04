// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_surroundings.h"
#include "cli/commands.h"
#include "cli/ui.h"
#include "core/config_layers.h"
#include "core/job_record.h"

namespace batchllm {

// `--dry-run`: renders every row, counts rows, tokens and bad rows, sends nothing. `--show-prompts
// N`: prints the first N requests as the provider would get them (schema "batchllm.dry_run/1" with
// --json).
int dry_run(const JobRecord& record,
            const RunRequest& request,
            const JobSurroundings& surroundings,
            Ui& ui);

}  // namespace batchllm
