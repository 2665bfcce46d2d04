// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/input.h"
#include "adapters/job/job_inputs.h"
#include "adapters/output.h"
#include "core/job_record.h"
#include "core/result_writer.h"

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace batchllm {

// Where the result of a job goes.
struct OutputPlan {
  std::string path;       // absolute; "-": standard output
  std::string part_path;  // written first, renamed at the end; empty for standard output
  OutputKind kind;
  OutputConflict conflict = OutputConflict::refuse;  // what becomes of a file that is there
  std::string rejects_path;  // where bad rows are to be found; empty: in the job's folder only
};

// The result's place: `result.EXT` in `job_folder` for a record with `result_in_folder`; else what
// the record or its settings name; else standard output when that is no terminal; else beside the
// input. Throws Error(usage | storage) when nothing can be written there.
OutputPlan plan_output(const JobRecord& record,
                       const InputSource& source,
                       const std::filesystem::path& job_folder = {});

// The format that goes with the input ("csv" for CSV).
OutputFormat format_of_input(const InputSource& source);

// What the result keeps of the input: the chosen columns, else all.
std::vector<std::string> kept_columns(const OutputSettings& output, const RowSource& source);

// What the job adds to the columns of its input.
ResultColumnSettings result_columns_of(const JobRecord& record);

// Throws Error(output_exists) for a result's place where a file is that is not to be replaced.
void check_output_is_free(const JobRecord& record);

// With --append: throws Error when the rows of this run do not fit the file that is there.
void check_appending(const JobRecord& record, const OutputPlan& plan, const RowSource& source);

// How results are written to `plan`. `inputs` outlives what it returns.
ResultWriterSettings make_result_settings(const JobRecord& record,
                                          const OutputPlan& plan,
                                          const JobInputs& inputs,
                                          std::stop_token stop);

// How the rows of a result are spelled.
RowSinkOptions row_sink_options(const JobRecord& record, const OutputPlan& plan);

// Puts the finished result under its name; synced. Throws Error(output_exists) when a file has
// appeared there that must not be replaced, Error(storage…).
void publish_result(const OutputPlan& plan);

}  // namespace batchllm
