// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/commit_queue.h"
#include "adapters/sql/connection_pool.h"
#include "core/clock.h"
#include "daemon/queue/event_hub.h"
#include "daemon/queue/job_table.h"

#include <utility>

namespace batchllm::daemon {

// queue.db in use: one writer, many readers, and those who watch. Thread-safe.
class JobStore {
 public:
  JobStore(sql::CommitQueue& writer,
           sql::ConnectionPool& readers,
           EventHub& hub,
           const Clock& clock)
      : writer_(writer),
        readers_(readers),
        hub_(hub),
        clock_(clock) {}

  // Runs work(JobTable&) in a transaction of the writer and returns what it returned, when that is
  // durable. What it throws undoes it.
  template <typename Work>
  auto write(Work&& work) {
    return writer_.write([this, &work](sql::Transaction& transaction) {
      JobTable jobs(transaction, hub_, clock_.wall_ms());
      return work(jobs);
    });
  }

  // Runs work(sql::Database&) on a connection that only reads; all it reads is of one moment.
  template <typename Work>
  auto read(Work&& work) {
    return readers_.read(std::forward<Work>(work));
  }

  EventHub& hub() noexcept { return hub_; }

  const Clock& clock() const noexcept { return clock_; }

  sql::CommitQueueFigures figures() const noexcept { return writer_.figures(); }

 private:
  sql::CommitQueue& writer_;
  sql::ConnectionPool& readers_;
  EventHub& hub_;
  const Clock& clock_;
};

}  // namespace batchllm::daemon
