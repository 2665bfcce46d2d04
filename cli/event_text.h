// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_event.h"

#include <string>

namespace batchllm {

// An event as a line for people, without line break, safe for a terminal:
// "2026-11-21 18:05:13 job.paused cost_limit: the job has cost $2.00; 12 ok, 1 failed
// (worker:4711)".
std::string event_text(const JobEvent& event);

}  // namespace batchllm
