// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_control.h"
#include "adapters/job/job_surroundings.h"
#include "core/config_layers.h"
#include "core/engine.h"
#include "core/job_directory.h"
#include "core/job_record.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace batchllm {

// What a run tells while it goes on. Thread rule: progress() comes on a thread of the run's own, a
// few times a second, and once at the end on the thread that called run_job; everything else comes
// on that thread. None of them at the same time as another of its kind.
class JobListener {
 public:
  virtual ~JobListener() = default;

  virtual void note(std::string_view text) = 0;
  virtual void warning(std::string_view text) = 0;

  // The job is on record as running, and requests leave from here on.
  virtual void sending_begins() {}

  virtual void progress(const ProgressSnapshot& snapshot) = 0;

  // Nothing is in flight any more: no progress comes after this. Not called when the engine throws.
  virtual void sending_ended(const ProgressSnapshot& last) { static_cast<void>(last); }
};

// How a job is taken up.
struct JobStart {
  bool is_new = false;
  bool retries_failed = false;        // failed rows are asked again
  std::set<RowFailure> retry_only;    // these failures; empty: all
  std::int64_t most_concurrency = 0;  // what JobControl::set_concurrency may reach; the settings'
                                      // concurrency when that is more
};

// How a run ended. `record` (an argument of run_job) has the job's status and totals.
struct JobEnd {
  EngineResult result;
  std::optional<Error> stop;     // why it ended before its time
  std::string output_path;       // where the result is; empty: there is none yet
  std::string rejects_path;      // empty: no bad rows
  int exit_code = 0;             // as `batchllm run` ends with it
  bool reader_has_left = false;  // `| head` has seen enough: no error, and nothing to say
};

// Runs a locked job from where it stands to its end or to a stop, writes its result, saves in
// `record` and job.json how it ended. Blocks; the thread that calls it serves the network.
// `environment` answers what variables hold that address and key may be taken from. It is asked by
// name and may be anything: a caller that has the key itself answers the provider's variable
// (ProviderEntry::key_env) with it, and nullopt to every other name.
//
// Throws Error for what prevents it from starting: input, template, key, output, storage.
JobEnd run_job(JobDirectory& directory,
               JobRecord& record,
               const JobStart& start,
               const JobSurroundings& surroundings,
               JobControl& control,
               JobListener& listener);

}  // namespace batchllm
