// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"
#include "core/mutex.h"
#include "core/row_batch.h"
#include "core/shard.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace batchllm {

// A shard all of whose rows have their outcome: nothing in it has to be looked at to resume.
struct SealedShard {
  std::uint64_t number = 0;
  std::uint64_t rows = 0;
  std::uint64_t matched = 0;           // rows of the job up to its end that matched --where
  std::optional<RowPlace> next_place;  // where the next shard begins; none at the end of the input
  ShardTotals totals;
};

// What was known of an input's content: XXH3 of its first `bytes` bytes.
struct InputDigest {
  std::uint64_t bytes = 0;
  std::uint64_t xxh3 = 0;
};

// manifest.jsonl: one checksummed line for each sealed shard and input digest (framing of
// core/ledger_format.h); a later line for the same shard or input counts. Thread-safe but for
// shards() and digests(), which are for the time before a run.
class Manifest {
 public:
  enum class Access : std::uint8_t { write, read_only };

  // Reads what is there; damaged lines are passed over (their shards are read from their ledgers).
  // `read_only` for those who do not have the job's lock.
  explicit Manifest(const std::filesystem::path& path, Access access = Access::write);

  void seal(const SealedShard& shard);
  void reopen(std::uint64_t number);  // the shard has rows to ask again
  void set_digest(std::uint32_t input, const InputDigest& digest);

  const std::map<std::uint64_t, SealedShard>& shards() const noexcept { return shards_; }

  const std::map<std::uint32_t, InputDigest>& digests() const noexcept { return digests_; }

  ShardTotals totals() const;

 private:
  void append(const std::string& line) BATCHLLM_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::filesystem::path path_;
  FileHandle file_;
  std::map<std::uint64_t, SealedShard> shards_;
  std::map<std::uint32_t, InputDigest> digests_;
};

}  // namespace batchllm
