// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/queued_job.h"
#include "core/json_document.h"
#include "core/progress.h"

#include <string>

namespace batchllm {

// Events of a job (core/job_event.h) as the API sends them.

// One line for people, without a line break: "2026-11-21 07:48  started  attempt 1, worker:4711".
std::string event_line(const JsonNode& event);

// What an event or a `progress` tick of the stream says of the rows goes into `snapshot`; what it
// does not speak of stays.
void take_counts(const JsonNode& event_or_tick, ProgressSnapshot& snapshot);

// How far a job is that was looked up.
ProgressSnapshot progress_of(const DaemonJob& job);

}  // namespace batchllm
