// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_directory.h"
#include "core/job_record.h"
#include "core/ledger.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// How a job stands now, read from its files; works beside a running process.
struct JobReport {
  JobRecord record;
  bool is_running = false;     // a living process has it
  ShardTotals totals;          // of all outcomes
  std::uint64_t in_doubt = 0;  // rows sent whose answer is not known (0 while it runs)
  std::int64_t in_doubt_micro_usd = 0;
  std::uint64_t rejected = 0;

  // "running", "interrupted" (also when its process was killed), "failed", "partial", "succeeded".
  std::string_view status() const noexcept;
};

JobReport report_job(const JobDirectory& directory);

// Whether any row's latest outcome is not ok. `job_folder` need not be there.
bool has_failed_rows(const std::filesystem::path& job_folder);

// The latest outcome of every row that is not ok, in row order, shard by shard.
void for_each_failure(const JobDirectory& directory,
                      const std::function<void(const Outcome&)>& visit);

// One way of failing: how many rows, and the first of them.
struct FailureGroup {
  std::uint64_t rows = 0;
  std::vector<Outcome> examples;
};

// Failed rows by the way they failed, with that many examples at most.
std::map<RowFailure, FailureGroup> group_failures(const JobDirectory& directory,
                                                  std::uint64_t most_examples);

// Rows that were sent and have no outcome, in row order.
std::map<std::uint64_t, OpenAttempt> rows_in_doubt(const JobDirectory& directory);

// Appends the members of one JSON object that describe the job.
std::string job_report_json(const JobReport& report);

}  // namespace batchllm
