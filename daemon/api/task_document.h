// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/api/api_context.h"
#include "daemon/queue/queued_job.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

// How a task stands, in four words: pending (queued, paused, interrupted, waiting for input),
// running, done (succeeded), error (everything else that has ended).
std::string_view task_status(JobState state) noexcept;

// The states of jobs that are this status; throws Error(usage) for a status that is none.
std::vector<JobState> states_of_status(std::string_view status);

// The object `Task` of the contract: input from the store, output and failure from the ledger.
std::string task_document(const ApiContext& context, sql::Database& database, const QueuedJob& job);

}  // namespace batchllm::daemon
