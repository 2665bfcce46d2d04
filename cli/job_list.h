// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_report.h"
#include "cli/commands.h"
#include "cli/job_places.h"
#include "cli/queued_job.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// One line of the list: a job of the daemon's as it says, else a run as its folder says.
struct ListedJob {
  std::optional<DaemonJob> queued;
  std::optional<JobReport> run;

  const std::string& id() const;
  std::string_view state() const;
  std::int64_t created_ms() const;
};

struct JobList {
  std::vector<ListedJob> jobs;  // newest first
  std::size_t not_shown = 0;    // jobs of the daemon's that have folders, while it does not run
};

// The jobs that fit, at most `request.limit` (0: all). Warns of folders that cannot be read. Runs
// of this machine have no project and no tags.
JobList list_jobs(const JobsListRequest& request, JobPlaces& places);

}  // namespace batchllm
