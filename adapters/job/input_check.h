// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_directory.h"
#include "core/job_record.h"

namespace batchllm {

// Compares the inputs with how they looked when the job began. Throws Error(input_changed) naming
// the file and what changed; a file whose times changed but not its content passes.
void check_inputs_unchanged(const JobDirectory& directory, const JobRecord& record);

}  // namespace batchllm
