// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"
#include "core/job_event.h"
#include "core/job_view.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

struct StoredEvent {
  std::int64_t seq = 0;
  std::string document;  // core/job_event.h, job_event_document
};

// The job's events behind number `after`, in order: `limit` at most, and no more behind the one
// with which the documents are longer than `bytes`.
std::vector<StoredEvent> read_event_documents(sql::Database& database,
                                              std::string_view job_id,
                                              std::int64_t after,
                                              std::int64_t limit,
                                              std::size_t bytes = SIZE_MAX);

// "job.started" of a document.
std::string_view event_type_of(std::string_view document);

// True for the event that a job ends with.
bool is_end_event(std::string_view type) noexcept;

// What the job's events alone say of it. Throws Error(job_corrupt) when they do not fit together.
JobView replay_job(sql::Database& database, std::string_view job_id);

}  // namespace batchllm::daemon
