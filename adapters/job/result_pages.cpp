// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/result_pages.h"

#include "adapters/job/job_inputs.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/ledger.h"
#include "core/manifest.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace batchllm {
namespace {

bool is_wanted(RowState state, ResultRows wanted) noexcept {
  if (state.kind() != RowState::Kind::settled) {
    return false;
  }
  return wanted == ResultRows::all ||
         (wanted == ResultRows::ok) == (state.status() == RowStatus::ok);
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
    const auto shard = load_recorded_shard(job_folder_, number);
    const std::uint64_t begin = std::max(first_row, shard->first_row());
    std::uint64_t next = next_wanted(*shard, begin);
    if (next == end_of(*shard)) {
      return true;
    }
    LedgerReader reader(Ledger::shard_path(job_folder_, number));
    go_to_shard(number);
    while (next != end_of(*shard) && go_to_row(next)) {
      if (!visit_row(*shard, next, reader)) {
        return false;
      }
      next = next_wanted(*shard, next + 1);
    }
    return true;
  }

  static std::uint64_t end_of(const Shard& shard) noexcept {
    return shard.first_row() + k_rows_per_shard;
  }

  std::uint64_t next_wanted(const Shard& shard, std::uint64_t row) const noexcept {
    while (row < end_of(shard) && !is_wanted(shard.state(row), wanted_)) {
      ++row;
    }
    return row;
  }

  // Goes on where the nearest shard before it ended, unless the source is further already.
  void go_to_shard(std::uint64_t number) {
    if (source_ == nullptr) {
      source_ = inputs_.open_again({});
      columns_ = source_->is_open_ended() ? std::vector<std::string>{} : source_->columns();
      source_->select(columns_);
    }
    auto before = manifest_.shards().lower_bound(number);
    if (before == manifest_.shards().begin()) {
      return;
    }
    --before;
    const auto& place = before->second.next_place;
    if (place && place->row_index > next_row_) {
      source_->seek(*place);
      batch_.clear();
      row_ = 0;
      next_row_ = place->row_index;
    }
  }

  // Reads until `row_` is that row of the input; false when the input does not have it.
  bool go_to_row(std::uint64_t row_index) {
    while (true) {
      for (; row_ < batch_.row_count(); ++row_) {
        if (batch_.places[row_].row_index >= row_index) {
          return true;
        }
        next_row_ = batch_.places[row_].row_index + 1;
      }
      row_ = 0;
      if (!source_->next_batch(batch_)) {
        return false;
      }
    }
  }

  bool visit_row(const Shard& shard, std::uint64_t row_index, LedgerReader& reader) {
    if (batch_.places[row_].row_index != row_index) {
      return true;  // a bad row of an input that has changed
    }
    auto outcome = read_outcome_line(reader.line_at(shard.state(row_index).ledger_offset()));
    if (!outcome) {
      throw Error(ErrorCode::job_corrupt,
                  "the ledger in " + job_folder_.string() + " holds a record that cannot be read");
    }
    return visit_({row_json(batch_, row_, columns_), *std::move(outcome)});
  }

  std::filesystem::path job_folder_;
  JobInputs inputs_;
  ResultRows wanted_;
  const std::function<bool(const FinishedRow&)>& visit_;
  Manifest manifest_;

  std::unique_ptr<InputSource> source_;
  std::vector<std::string> columns_;
  RowBatch batch_;
  std::size_t row_ = 0;         // of batch_
  std::uint64_t next_row_ = 0;  // rows before it were passed
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
