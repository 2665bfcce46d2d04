// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_run.h"
#include "core/clock.h"
#include "core/event_log.h"
#include "core/job_directory.h"
#include "core/job_record.h"
#include "core/mutex.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm {

// Writes what becomes of a local run into the job's event log (core/event_log.h): what another
// terminal watches, and what `jobs replay` rebuilds the job from. Nothing of it can stop the run.
// Thread-safe.
class RunEvents {
 public:
  // `directory` is locked by this process; it and `clock` must outlive this.
  RunEvents(const JobDirectory& directory, const Clock& clock);

  // The job is on record as running. Once; every warning means it, too.
  void begun();
  void warning(std::string_view text);
  void progress(const ProgressSnapshot& snapshot);
  void ended(const JobRecord& record, const JobEnd& end);

  // run_job threw.
  void failed(const JobRecord& record, const Error& error);

 private:
  void begin() BATCHLLM_REQUIRES(mutex_);
  void add(JobEventData data) BATCHLLM_REQUIRES(mutex_);
  void stopped(const Error& stop, const JobCounts& counts, bool reader_has_left)
      BATCHLLM_REQUIRES(mutex_);

  const JobDirectory& directory_;
  const Clock& clock_;
  const std::string user_;    // who is it that asks, as events name actors
  const std::string worker_;  // this process
  Mutex mutex_;
  EventLog log_ BATCHLLM_GUARDED_BY(mutex_);
  bool has_begun_ BATCHLLM_GUARDED_BY(mutex_) = false;
  TimePoint kept_at_ BATCHLLM_GUARDED_BY(mutex_);
};

}  // namespace batchllm
