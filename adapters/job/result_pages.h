// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_record.h"
#include "core/outcome.h"
#include "core/result_writer.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace batchllm {

// A row of a job and what became of it.
struct FinishedRow {
  std::string input;  // JSON object: column to value; JSON rows as they stand in the input
  Outcome outcome;
};

// Visits the rows that are finished now, in the order of the input, from row index `first_row` on,
// until there are no more or `visit` says false. Reads no more of input and ledgers than the shards
// that the visited rows are in; works beside the process that runs the job. `job_folder` need not
// be there: then no row is finished. Throws Error for what cannot be read.
void visit_finished_rows(const JobRecord& record,
                         const std::filesystem::path& job_folder,
                         ResultRows wanted,
                         std::uint64_t first_row,
                         const std::function<bool(const FinishedRow&)>& visit);

}  // namespace batchllm
