// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_progress.h"
#include "core/job_settings.h"
#include "core/ledger.h"
#include "core/manifest.h"
#include "core/reject_log.h"
#include "core/row_encoder.h"
#include "core/row_source.h"
#include "core/task_queue.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

struct RowReaderSettings {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> limit;
  std::optional<std::vector<std::uint64_t>> sampled_rows;  // ascending; instead of offset and limit
  BadRowPolicy on_bad_row = BadRowPolicy::stop;
  InDoubtPolicy in_doubt = InDoubtPolicy::retry;
  bool pack_rows = false;  // for results in the order of completion, and for rows of several steps
  std::vector<std::string> input_names;
  std::string rejects_name;       // where rejects go, for messages
  std::function<void()> at_mark;  // called at the end of each shard and of the input
};

// Reads the input, leaves out what is not asked or already answered, renders the rest and hands it
// on: the body of the reader thread. Nothing is handed on before the first rows have been found
// good.
class RowReader {
 public:
  RowReader(RowSource& source,
            RowEncoder& encoder,
            Ledger& ledger,
            std::map<std::uint64_t, SealedShard> sealed,
            RejectLog& rejects,
            TaskQueue& queue,
            JobCounters& counters,
            RowReaderSettings settings);

  // Until the end of the input, of the job's rows, or `stop`. Throws Error when the input cannot be
  // read on or a bad row stops the run. The caller finishes the queue afterwards.
  void run(std::stop_token stop);

  // Called with the index of a row now and then; may block until the results have caught up. False
  // ends the reading.
  void wait_before_row(std::function<bool(std::uint64_t row_index, std::stop_token)> wait) {
    wait_ = std::move(wait);
  }

  // Rows behind this one do not belong to the job; valid after run() came to the end.
  std::uint64_t end_row() const noexcept { return next_row_; }

 private:
  enum class Step : std::uint8_t { go_on, sought, end };

  bool start_at_first_open_shard();
  bool read_batches(std::stop_token stop);
  Step take_batch(std::stop_token stop);
  Step take_row(std::size_t row, std::stop_token stop);
  void take_bad_row(const BadRow& bad);
  Step enter_shard(const RowPlace& place);
  bool is_selected(std::size_t row, std::uint64_t row_index);
  bool is_behind_selection() const noexcept;
  void ask(std::size_t row, const RowPlace& place);
  void settle_doubt(RowTask& task);
  bool hand_on(std::stop_token stop);
  void end_shard(std::optional<RowPlace> next);

  RowSource& source_;
  RowEncoder& encoder_;
  Ledger& ledger_;
  std::map<std::uint64_t, SealedShard> sealed_;
  RejectLog& rejects_;
  TaskQueue& queue_;
  JobCounters& counters_;
  RowReaderSettings settings_;
  std::function<bool(std::uint64_t, std::stop_token)> wait_;

  RowBatch batch_;
  TaskBatch tasks_;
  std::size_t task_bytes_ = 0;
  std::shared_ptr<Shard> shard_;
  std::uint64_t next_row_ = 0;
  std::uint64_t matched_ = 0;
  std::size_t next_sampled_ = 0;
  bool first_rows_checked_ = false;
  std::size_t rows_seen_ = 0;
};

}  // namespace batchllm
