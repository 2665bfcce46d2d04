// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/api/api_context.h"
#include "daemon/scheduler/schedule_chore.h"

#include <cstdint>
#include <optional>

namespace batchllm::daemon {

// Reads the job of a schedule as POST /jobs would, its inputs as they are now. `slot_ms`: nullopt
// when a person wants it beside the schedule's times. Throws as read_job_request.
QueueScheduled prepare_scheduled_job(ApiContext& context,
                                     const Schedule& schedule,
                                     std::optional<std::int64_t> slot_ms,
                                     std::string actor);

}  // namespace batchllm::daemon
