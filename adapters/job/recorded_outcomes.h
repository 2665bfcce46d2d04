// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger_reader.h"
#include "core/outcome.h"
#include "core/shard.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

namespace batchllm {

// The latest outcome of every row of one shard that has one in the ledger now. Keeps where they
// are, not what they say. Not thread-safe.
class RecordedOutcomes {
 public:
  // A shard without a ledger has none. Throws Error(storage | job_corrupt).
  RecordedOutcomes(const std::filesystem::path& job_folder, std::uint64_t shard);

  std::uint64_t first_row() const noexcept { return shard_->first_row(); }

  std::uint64_t end_row() const noexcept { return shard_->first_row() + k_rows_per_shard; }

  // Nullopt when the row has no outcome.
  std::optional<RowStatus> status(std::uint64_t row_index) const noexcept;

  // Of a row that has one; best ascending. Throws Error(job_corrupt).
  Outcome read(std::uint64_t row_index);

 private:
  std::filesystem::path ledger_path_;
  std::shared_ptr<Shard> shard_;
  std::optional<LedgerReader> reader_;
};

}  // namespace batchllm
