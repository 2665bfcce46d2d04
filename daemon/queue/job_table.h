// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/commit_queue.h"
#include "adapters/sql/sqlite_database.h"
#include "core/job_event.h"
#include "daemon/queue/event_hub.h"
#include "daemon/queue/queued_job.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace batchllm::daemon {

// Reading jobs. On any connection.
std::optional<QueuedJob> read_job(sql::Database& database, std::string_view id);

// The job; throws Error(job_not_found).
QueuedJob require_job(sql::Database& database, std::string_view id);

using QueryValue = std::variant<std::int64_t, std::string>;

// Jobs for which `rest` (SQL behind "FROM jobs", its values bound by position) holds, as it orders
// them.
std::vector<QueuedJob> read_jobs(sql::Database& database,
                                 std::string_view rest,
                                 const std::vector<QueryValue>& values);

// Changes jobs within one transaction, and only by events: the event and the job as the event
// leaves it are written together, so that neither can be without the other. After the commit the
// event goes to those who watch. Lives as long as its transaction.
class JobTable {
 public:
  JobTable(sql::Transaction& transaction, EventHub& hub, std::int64_t now_ms)
      : transaction_(transaction),
        hub_(hub),
        now_ms_(now_ms) {}

  sql::Database& database() { return transaction_.database(); }

  std::int64_t now_ms() const noexcept { return now_ms_; }

  // Writes a job that is not there yet, with its first event. `job.view` is what the event makes
  // of it. Draws another id while the one it has is taken.
  void insert(QueuedJob& job, const JobEventData& first, std::string_view actor);

  // Adds the event to the job and writes what it makes of it, together with who has the job and
  // whether it is held. Throws Error(job_conflict) for a move that the transition table does not
  // have, and when the job in the database is not at the event number that `job` was read at.
  void record(QueuedJob& job, const JobEventData& data, JobActor who, std::string_view actor);

  // Writes what users may change about a job: name, tags, cost limit, policy and record, the
  // longest part of a row, which most events leave alone. The event that tells of it comes with
  // record() in the same transaction.
  void describe(const QueuedJob& job);

 private:
  void append_event(const QueuedJob& job, const JobEvent& event);
  void add_usage(const QueuedJob& job, const JobCounts& before);

  sql::Transaction& transaction_;
  EventHub& hub_;
  std::int64_t now_ms_;
};

}  // namespace batchllm::daemon
