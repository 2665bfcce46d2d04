// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"
#include "core/ledger_format.h"
#include "core/ledger_reader.h"
#include "core/mutex.h"
#include "core/outcome.h"
#include "core/shard.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace batchllm {

// The append-only record of what was asked and answered, one file for 32,768 rows. What was handed
// to `commit` survives the death of the process; what `sync` covered survives the death of the
// machine.
//
// Thread rule: note_*, append, commit on the network thread; `open_shard`, `find_shard`, `sync`
// from any thread.
class Ledger {
 public:
  // `folder` holds ledger-00000.jsonl and so on; it must exist.
  Ledger(std::filesystem::path folder, std::string job_id);

  static std::filesystem::path shard_path(const std::filesystem::path& folder,
                                          std::uint64_t number);

  // The shards that have a file in the folder, in order.
  static std::vector<std::uint64_t> shards_in(const std::filesystem::path& folder);

  // The rows of a shard; when it is not open yet, its file is read (attempts without an outcome are
  // added to `open_attempts`) and a torn end cut off.
  std::shared_ptr<Shard> open_shard(std::uint64_t number);

  // The shard when it is open.
  std::shared_ptr<Shard> find_shard(std::uint64_t number) const;

  // Forgets a sealed shard; its file stays.
  void close_shard(std::uint64_t number);

  // True for a shard that was open and is sealed and forgotten.
  bool was_closed(std::uint64_t number) const;

  std::vector<std::shared_ptr<Shard>> open_shards() const;

  // Rows that were sent by earlier runs and have no outcome, of shards opened so far. Taken: asked
  // once.
  std::optional<OpenAttempt> take_open_attempt(std::uint64_t row_index);

  // What the attempts of `take_open_attempt` may have cost, as far as they are not taken yet.
  std::int64_t open_attempts_micro_usd() const;

  // What answers have cost with which rows without an outcome go on.
  std::int64_t open_answers_micro_usd() const;

  // Makes a row with an outcome open again, to be asked once more. Its shard must be open.
  void reopen(std::uint64_t row_index);

  // Totals of the outcomes that opening found, and damaged records.
  ShardTotals opened_totals() const;
  std::uint64_t lost_records() const;

  // Collected until `commit`.
  void note_sent(const SentRecord& record) { sent_.push_back(record); }

  void note_ended(const EndedRecord& record) { ended_.push_back(record); }

  void append(const Outcome& outcome);

  // An answer with which the row goes on.
  void append(const StepAnswer& answer);

  // Writes what was collected: outcomes first, then failures, then what is about to be sent. The
  // rows are settled when it returns. Throws Error(storage | storage_full): then nothing may be
  // sent (those notes are forgotten), and outcomes stay collected for another commit.
  void commit(std::int64_t wall_ms);

  // Makes what was committed durable. May take long.
  void sync();

  // Takes the totals of what this ledger object saw settled for one shard.
  ShardTotals shard_totals(std::uint64_t number) const;

 private:
  struct File {
    std::shared_ptr<Shard> shard;
    FileHandle descriptor;
    std::uint64_t size = 0;
    ShardTotals totals;
    bool dirty = false;
  };

  struct Pending {
    std::uint64_t row_index;
    RowStatus status;
    std::uint64_t offset_in_buffer;
  };

  struct Outgoing {
    std::string bytes;  // outcomes and failures
    std::string sent;   // what is about to be sent
    std::vector<Pending> settled;
    ShardTotals totals;
  };

  File& file_of(std::uint64_t row_index);
  Outgoing& outgoing_of(std::uint64_t row_index);
  void write_out(std::uint64_t number, Outgoing& outgoing);

  std::filesystem::path folder_;
  std::string job_id_;

  mutable Mutex mutex_;
  std::map<std::uint64_t, std::unique_ptr<File>> files_ BATCHLLM_GUARDED_BY(mutex_);
  std::set<std::uint64_t> closed_ BATCHLLM_GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, OpenAttempt> open_attempts_ BATCHLLM_GUARDED_BY(mutex_);
  ShardTotals opened_totals_ BATCHLLM_GUARDED_BY(mutex_);
  std::uint64_t lost_records_ BATCHLLM_GUARDED_BY(mutex_) = 0;

  // Network thread only.
  std::vector<SentRecord> sent_;
  std::vector<EndedRecord> ended_;
  std::map<std::uint64_t, Outgoing> outgoing_;
};

}  // namespace batchllm
