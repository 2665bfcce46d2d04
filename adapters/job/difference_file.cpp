// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/difference_file.h"

#include "adapters/job/job_output.h"
#include "adapters/job/result_export.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace batchllm {
namespace {

std::unique_ptr<ResultColumns> columns_of(const JobRecord& record,
                                          const std::vector<std::string>& input_columns) {
  ResultColumnSettings settings = result_columns_of(record);
  settings.include_meta = false;
  return std::make_unique<ResultColumns>(std::move(settings), true, input_columns);
}

}  // namespace

DifferenceFile::DifferenceFile(const ComparedJob& a,
                               const ComparedJob& b,
                               const std::string& path,
                               OutputFormat format)
    : record_(exported_record(a.record, {ResultRows::all, format, path})),
      inputs_(record_, a.folder.string()),
      manifest_(a.folder / "manifest.jsonl", Manifest::Access::read_only),
      plan_(plan_output(record_, *inputs_.open_again({}))) {
  const ResultWriterSettings settings = make_result_settings(record_, plan_, inputs_, {});
  std::vector<std::string> input_columns;
  rows_ = std::make_unique<JobRows>(settings.open_source(input_columns), manifest_);
  columns_a_ = columns_of(a.record, input_columns);
  columns_b_ = columns_of(b.record, input_columns);
  names_ = input_columns;
  add_names(columns_a_->names(), "_a");
  add_names(columns_b_->names(), "_b");
  sink_ = settings.open_sink();
  sink_->begin(input_columns, added_);
}

void DifferenceFile::add_names(const std::vector<std::string>& names, std::string_view suffix) {
  for (const std::string& name : names) {
    std::string added = name + std::string(suffix);
    while (std::find(names_.begin(), names_.end(), added) != names_.end()) {
      added += '_';
    }
    names_.push_back(added);
    added_.push_back(std::move(added));
  }
}

void DifferenceFile::add_cells(ResultColumns& columns, const Outcome* outcome) {
  if (outcome == nullptr) {
    cells_.resize(cells_.size() + columns.names().size());
    return;
  }
  const std::vector<NewCell>& cells = columns.cells(*outcome);
  cells_.insert(cells_.end(), cells.begin(), cells.end());
}

void DifferenceFile::add(const ComparedRow& row) {
  if (!rows_->go_to(row.row_index)) {
    return;  // the input has become shorter
  }
  cells_.clear();
  add_cells(*columns_a_, row.a);
  add_cells(*columns_b_, row.b);
  sink_->write(rows_->batch(), rows_->row(), cells_);
}

void DifferenceFile::finish() {
  sink_->finish();
  if (!plan_.part_path.empty()) {
    std::filesystem::rename(plan_.part_path, plan_.path);
  }
}

}  // namespace batchllm
