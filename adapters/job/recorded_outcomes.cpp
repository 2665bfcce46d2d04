// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/recorded_outcomes.h"

#include "core/error.h"
#include "core/ledger.h"
#include "core/result_writer.h"

#include <utility>

namespace batchllm {

RecordedOutcomes::RecordedOutcomes(const std::filesystem::path& job_folder, std::uint64_t shard)
    : ledger_path_(Ledger::shard_path(job_folder, shard)),
      shard_(load_recorded_shard(job_folder, shard)) {}

std::optional<RowStatus> RecordedOutcomes::status(std::uint64_t row_index) const noexcept {
  const RowState state = shard_->state(row_index);
  return state.kind() == RowState::Kind::settled ? std::optional(state.status()) : std::nullopt;
}

Outcome RecordedOutcomes::read(std::uint64_t row_index) {
  if (!reader_) {
    reader_.emplace(ledger_path_);
  }
  auto outcome = read_outcome_line(reader_->line_at(shard_->state(row_index).ledger_offset()));
  if (!outcome) {
    throw Error(ErrorCode::job_corrupt,
                "the ledger in " + ledger_path_.parent_path().string() +
                    " holds a record that cannot be read");
  }
  return *std::move(outcome);
}

}  // namespace batchllm
