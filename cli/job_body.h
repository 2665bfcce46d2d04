// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_surroundings.h"
#include "cli/daemon_client.h"
#include "cli/submit_request.h"
#include "core/config_layers.h"
#include "core/job_record.h"

#include <string>
#include <vector>

namespace batchllm {

// What `submit` and `schedule add` do before they send a job to the daemon.

// Finds wrong what `run` finds wrong before it asks anything, but for the key, which is the
// daemon's; makes the output an absolute path. Throws what `run` throws.
void check_job_for_daemon(JobRecord& record, const JobSurroundings& surroundings);

// The inputs as the daemon finds them: one of this machine reads the files itself, but for
// `temporary` (may be empty), which is gone afterwards; all others are sent. The same key sends the
// same file, under the same id, only once. Throws as DaemonClient::upload.
std::vector<SubmittedInput> send_inputs(DaemonClient& client,
                                        const JobRecord& record,
                                        bool is_local,
                                        const std::string& temporary,
                                        const std::string& idempotency_key);

}  // namespace batchllm
