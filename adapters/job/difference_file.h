// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_comparison.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/job_output.h"
#include "adapters/job/job_rows.h"
#include "core/result_columns.h"
#include "core/row_sink.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace batchllm {

// A file of the rows that two jobs do not answer the same: the input's columns, then what each of
// them would have added to its result, with `_a` and `_b` behind the names, failures among them.
// Not thread-safe.
class DifferenceFile {
 public:
  // `path` may be "-". The input is read as the first job read it. Throws Error for inputs that
  // cannot be read and places that cannot be written.
  DifferenceFile(const ComparedJob& a,
                 const ComparedJob& b,
                 const std::string& path,
                 OutputFormat format);

  // Rows in the order of the input.
  void add(const ComparedRow& row);

  // The file appears under its name.
  void finish();

  const std::string& path() const noexcept { return plan_.path; }

 private:
  void add_names(const std::vector<std::string>& names, std::string_view suffix);
  void add_cells(ResultColumns& columns, const Outcome* outcome);

  JobRecord record_;
  JobInputs inputs_;
  Manifest manifest_;
  OutputPlan plan_;
  std::vector<std::string> names_;  // of the input, then the added ones
  std::vector<std::string> added_;
  std::unique_ptr<ResultColumns> columns_a_;
  std::unique_ptr<ResultColumns> columns_b_;
  std::vector<NewCell> cells_;
  std::unique_ptr<JobRows> rows_;
  std::unique_ptr<RowSink> sink_;
};

}  // namespace batchllm
