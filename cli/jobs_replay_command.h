// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/ui.h"
#include "core/config_layers.h"

#include <string>

namespace batchllm {

// `jobs replay JOB`: what the job's events alone say of it, beside what is stored: the daemon's job
// object, or job.json and the ledgers of a local run. With --json as
// {"schema":"batchllm.replay/1","job":…,"events":N,"matches":…,"replayed":{…},"stored":{…},
// "differences":[…]}. Returns 0 when they agree, else 11. Throws Error: job_not_found,
// daemon_unreachable; job_corrupt for events that do not fit together.
int jobs_replay_command(const std::string& job,
                        const Settings& settings,
                        const EnvironmentLookup& environment,
                        Ui& ui);

}  // namespace batchllm
