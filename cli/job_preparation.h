// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"
#include "core/job_record.h"

namespace batchllm {

// What `run` and `submit` find out before they make a job.

// The job that is asked for, without id, identity and output: messages made of prompt and template
// (whose model and parameters go into the request's settings), inputs found. Throws Error(usage),
// with an example that works on the input, when prompt or model is missing; Error(input_missing |
// input_unreadable).
JobRecord make_job_record(RunRequest& request);

}  // namespace batchllm
