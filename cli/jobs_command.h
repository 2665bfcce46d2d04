// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"
#include "cli/ui.h"

namespace batchllm {

int jobs_list_command(const JobsListRequest& request, Ui& ui);
int jobs_show_command(const JobsShowRequest& request, Ui& ui);

// Deletes jobs with their ledgers, after asking. Throws Error(job_locked) for a running one.
int jobs_remove_command(const JobsRemoveRequest& request, Ui& ui);
int jobs_prune_command(const JobsPruneRequest& request, Ui& ui);

}  // namespace batchllm
