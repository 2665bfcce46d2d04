// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_migrations.h"

#include <span>

namespace batchllm::daemon {

// The tables of queue.db, one migration after another; a released one is never changed. Times are
// milliseconds since 1970 (UTC), money is micro-USD, states are the numbers of core/job_state.h.
// The members of a job that its events tell (core/job_event.h) are columns of `jobs` of the same
// names.
std::span<const sql::Migration> queue_migrations() noexcept;

}  // namespace batchllm::daemon
