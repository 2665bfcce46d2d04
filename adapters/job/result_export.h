// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_inputs.h"
#include "adapters/job/job_output.h"
#include "adapters/stream/byte_sink.h"
#include "core/job_record.h"
#include "core/result_writer.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace batchllm {

struct ExportSettings {
  ResultRows rows = ResultRows::all;
  OutputFormat format = OutputFormat::automatic;  // as the path says, else as the job's result
  std::string path = "-";                         // "-": standard output
};

// The record as it would be for a job whose result is that file.
JobRecord exported_record(JobRecord record, const ExportSettings& settings);

// The finished rows of a job as a file of their own, from its inputs and ledgers; works beside the
// process that runs the job. Not thread-safe.
class ResultExport {
 public:
  // `job_folder` need not be there: then no row is finished. Throws Error for inputs that cannot be
  // read and places that cannot be written.
  ResultExport(JobRecord record, std::filesystem::path job_folder, const ExportSettings& settings);

  const OutputKind& kind() const noexcept { return plan_.kind; }

  const std::string& path() const noexcept { return plan_.path; }

  // Writes to the path, where the whole file appears at once; returns how many rows.
  std::uint64_t write();

  // Writes into `bytes` instead of to the path, uncompressed.
  std::uint64_t write_to(std::unique_ptr<ByteSink> bytes);

 private:
  std::uint64_t write(ResultWriterSettings settings) const;

  JobRecord record_;
  std::filesystem::path job_folder_;
  ResultRows rows_;
  JobInputs inputs_;
  OutputPlan plan_;
};

}  // namespace batchllm
