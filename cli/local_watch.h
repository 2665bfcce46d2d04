// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/ui.h"
#include "core/job_directory.h"

namespace batchllm {

// Shows a job that another process of this machine runs, as the process itself would: progress and
// warnings on standard error, as its event log tells them, until it ends or its process is gone. A
// job that has ended already is summed up. Returns the code that the run ended (or would end) with;
// 130 when the run was stopped or killed. The first Ctrl-C ends the watching (and 130 is its code),
// never the job.
int watch_local_job(const JobDirectory& directory, Ui& ui);

// Prints the events of a local job, one line each, with --json as they are stored; with `follow`
// goes on until the run ends. Returns 0. Throws Error(interrupted) when Ctrl-C ended the following.
int show_local_log(const JobDirectory& directory, bool follow, Ui& ui);

}  // namespace batchllm
