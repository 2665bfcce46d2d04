// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_call.h"

namespace batchllm {

// `batchllm doctor [--online]`: looks at everything that a run or the daemon depends on, and says
// what to do about what is wrong. Changes nothing; sends something only with --online. The settings
// of `call` come from command line and environment alone: config files are among what it looks at.
// Returns 0 when nothing failed, else the exit code of the worst. Document: "batchllm.doctor/1".
int doctor_command(const CommandCall& call);

}  // namespace batchllm
