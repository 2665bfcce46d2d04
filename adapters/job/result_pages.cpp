// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/result_pages.h"

#include "adapters/job/job_inputs.h"
#include "adapters/job/job_rows.h"
#include "adapters/job/recorded_outcomes.h"
#include "core/json_text.h"
#include "core/ledger.h"
#include "core/manifest.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace batchllm {
namespace {

bool is_wanted(std::optional<RowStatus> status, ResultRows wanted) noexcept {
  return status &&
         (wanted == ResultRows::all || (wanted == ResultRows::ok) == (*status == RowStatus::ok));
}

bool may_hold(const ShardTotals& totals, ResultRows wanted) noexcept {
  return (wanted != ResultRows::failed && totals.ok != 0) ||
         (wanted != ResultRows::ok && totals.failed + totals.skipped != 0);
}

std::string row_json(const RowBatch& batch,
                     std::size_t row,
                     const std::vector<std::string>& columns) {
  if (const std::string_view record = batch.record(row); !record.empty()) {
    return std::string(record);
  }
  std::string json = "{";
  for (std::size_t column = 0; column < columns.size(); ++column) {
    json += column == 0 ? "" : ",";
    append_json_string(json, columns[column]);
    json += ':';
    const std::string_view cell = batch.row_cells(row)[column];
    if (batch.cell_kind(row, column) == CellKind::json) {
      json += cell;
    } else {
      append_json_string(json, cell);
    }
  }
  return json + "}";
}

class FinishedRows {
 public:
  FinishedRows(const JobRecord& record,
               const std::filesystem::path& job_folder,
               ResultRows wanted,
               const std::function<bool(const FinishedRow&)>& visit)
      : job_folder_(job_folder),
        inputs_(record, job_folder.string()),
        wanted_(wanted),
        visit_(visit),
        manifest_(job_folder / "manifest.jsonl", Manifest::Access::read_only) {}

  void visit_from(std::uint64_t first_row) {
    for (const std::uint64_t number : Ledger::shards_in(job_folder_)) {
      if (number >= first_row / k_rows_per_shard && !visit_shard(number, first_row)) {
        return;
      }
    }
  }

 private:
  // False when the visitor has seen enough.
  bool visit_shard(std::uint64_t number, std::uint64_t first_row) {
    const auto sealed = manifest_.shards().find(number);
    if (sealed != manifest_.shards().end() && !may_hold(sealed->second.totals, wanted_)) {
      return true;
    }
    RecordedOutcomes outcomes(job_folder_, number);
    for (std::uint64_t row = std::max(first_row, outcomes.first_row()); row < outcomes.end_row();
         ++row) {
      // A row that is not there was a bad one of an input that has changed.
      if (is_wanted(outcomes.status(row), wanted_) && rows().go_to(row) &&
          !visit_({row_json(rows().batch(), rows().row(), columns_), outcomes.read(row)})) {
        return false;
      }
    }
    return true;
  }

  // Opened with the first row that is wanted.
  JobRows& rows() {
    if (rows_ == nullptr) {
      auto source = inputs_.open_again({});
      columns_ = source->is_open_ended() ? std::vector<std::string>{} : source->columns();
      source->select(columns_);
      rows_ = std::make_unique<JobRows>(std::move(source), manifest_);
    }
    return *rows_;
  }

  std::filesystem::path job_folder_;
  JobInputs inputs_;
  ResultRows wanted_;
  const std::function<bool(const FinishedRow&)>& visit_;
  Manifest manifest_;

  std::unique_ptr<JobRows> rows_;
  std::vector<std::string> columns_;
};

}  // namespace

void visit_finished_rows(const JobRecord& record,
                         const std::filesystem::path& job_folder,
                         ResultRows wanted,
                         std::uint64_t first_row,
                         const std::function<bool(const FinishedRow&)>& visit) {
  FinishedRows(record, job_folder, wanted, visit).visit_from(first_row);
}

}  // namespace batchllm
