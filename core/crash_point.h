// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace batchllm {

// Places between two steps of which a crash must not leave half: tests end the process there, as
// kill -9 would. In the order of a job's life.
enum class CrashPoint : std::uint8_t {
  migration_written,  // a step of the schema, before its COMMIT
  migration_committed,
  content_written,   // an input's bytes, before they are synced
  content_synced,    // and before the file has its name
  content_renamed,   // and before the folder is synced
  submit_written,    // the job's first event, before its COMMIT
  submit_committed,  // and before the client has its answer
  claim_written,
  claim_committed,
  order_not_sent,  // the job is claimed, its worker does not know
  order_sent,
  job_begun,        // in the worker, which has its order; the detail is the job's model
  job_folder_made,  // and nothing is in it
  job_folder_ready,
  progress_written,
  progress_committed,
  run_ended,  // in the worker: the result is there, nobody was told
  end_reported,
  end_received,  // by the daemon, not saved
  end_written,
  end_committed,
  rescue_written,  // an interrupted job's way back, before its COMMIT
  rescue_committed,
  batch_not_committed,  // a group of writes of whatever kind
  batch_committed,
  backup_written,  // before the copy has its name
  backup_renamed,
};

// Every point's label, in the order of the enumeration: "submit_written".
std::span<const std::string_view> crash_point_labels() noexcept;

// Ends the process when BATCHLLM_CRASH_AT in its environment names this point: "LABEL", "LABEL:N"
// (only the Nth time) or "LABEL=DETAIL" (only with this detail). Exit status 137, nothing is
// flushed, no destructor runs. Any thread. Does nothing in programs built without
// BATCHLLM_CRASH_POINTS, as those that packages ship, where link-time optimisation drops the call.
void crash_point(CrashPoint point, std::string_view detail = {}) noexcept;

// Whether this program was built with them.
bool has_crash_points() noexcept;

}  // namespace batchllm
