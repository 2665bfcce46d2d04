// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/ui.h"
#include "core/config_layers.h"
#include "core/job_directory.h"
#include "core/job_record.h"

#include <set>
#include <vector>

namespace batchllm {

// How a job is taken up.
struct JobStart {
  bool is_new = false;
  bool retries_failed = false;      // failed rows are asked again
  std::set<RowFailure> retry_only;  // these failures; empty: all
};

// Runs a locked job from where it stands, shows its progress, writes its result, saves how it ended
// and says so. Returns the exit code; throws Error for what prevents it from starting.
int run_job(JobDirectory& directory,
            JobRecord& record,
            const JobStart& start,
            const EnvironmentLookup& environment,
            Ui& ui);

// Compares the inputs with how they looked when the job began. Throws Error(input_changed) naming
// the file and what changed; a file whose times changed but not its content passes.
void check_inputs_unchanged(const JobDirectory& directory, const JobRecord& record);

}  // namespace batchllm
