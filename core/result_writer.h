// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_settings.h"
#include "core/ledger.h"
#include "core/manifest.h"
#include "core/result_columns.h"
#include "core/row_sink.h"
#include "core/row_source.h"
#include "core/row_task.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace batchllm {

// Which outcomes a result takes in.
enum class ResultRows { all, ok, failed };

struct ResultWriterSettings {
  ResultColumnSettings columns;
  bool may_restart = true;        // the destination can be written anew (a file, not a stream)
  bool adds_error_column = true;  // when a row failed, and the destination can be written anew
  ResultRows rows = ResultRows::all;

  // Opens a new pass over the inputs, its cells selected as the sink needs them; tells their names.
  std::function<std::unique_ptr<RowSource>(std::vector<std::string>& input_columns)> open_source;
  // Opens the destination, emptied.
  std::function<std::unique_ptr<RowSink>()> open_sink;
};

// Writes the result: reads the inputs a second time and puts each row's outcome, from the ledger,
// beside it. So rows in flight keep nothing but their request, a slow row holds nothing up but the
// writing behind it, and the same code makes the result of a run, of a resume and of an export.
//
// When a row failed and the destination can be written anew, a column with the reason is added.
// Runs on one thread; finish_run and position from any.
class ResultWriter {
 public:
  // Rows that are settled while it runs, found through `ledger` (a running job), or null: only
  // those in the files of `job_folder` (an export). `sealed`: shards whose missing rows are not of
  // the job.
  ResultWriter(ResultWriterSettings settings,
               const Ledger* ledger,
               std::filesystem::path job_folder,
               std::map<std::uint64_t, SealedShard> sealed);

  // In input order. True when every row was written and the document is complete; false when the
  // run ended before every row had its outcome (the destination is incomplete then).
  bool write_in_input_order(std::stop_token stop);

  // What is in the ledger files now; rows without an outcome are left out. The document is
  // complete. `some_failed`: the column with the reasons is there from the start.
  void write_recorded(bool some_failed);

  // No further row will get an outcome; rows from `end_row` on (when known) are not of the job.
  void finish_run(std::optional<std::uint64_t> end_row);

  // The row that is to be written next.
  std::uint64_t position() const noexcept { return position_.load(std::memory_order_relaxed); }

  std::uint64_t rows_written() const noexcept { return rows_written_; }

 private:
  enum class Found : std::uint8_t { row, nothing, unfinished };

  void begin(bool with_error);
  bool pass(std::stop_token stop, bool wait);
  Found wait_for(std::uint64_t row_index, std::stop_token stop, bool wait, RowState& state);
  void enter_shard(std::uint64_t number, bool wait);
  bool write_row(const RowBatch& batch, std::size_t row, RowState state);
  bool nap(std::stop_token stop);

  ResultWriterSettings settings_;
  const Ledger* ledger_;
  std::filesystem::path job_folder_;
  std::map<std::uint64_t, SealedShard> sealed_;

  std::unique_ptr<RowSource> source_;
  std::unique_ptr<RowSink> sink_;
  std::optional<ResultColumns> columns_;
  bool with_error_ = false;

  std::optional<std::uint64_t> shard_number_;
  std::shared_ptr<Shard> shard_;
  bool shard_is_recorded_ = false;  // what it does not hold will not come
  std::unique_ptr<LedgerReader> reader_;
  std::atomic<std::uint64_t> position_{0};
  std::uint64_t rows_written_ = 0;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool run_is_over_ = false;
  std::optional<std::uint64_t> end_row_;
};

// Rows in the order of their answers, each as it comes: a queue between the network thread and one
// writer thread. Thread rule: add by the network thread; run by the writer; finish by any.
class CompletionWriter {
 public:
  CompletionWriter(ResultWriterSettings settings, std::size_t max_bytes);

  // Takes the packed row and its outcome.
  void add(const RowPlace& place, std::string packed_row, Outcome outcome);

  // True while there is room.
  bool has_room() const;

  // Writes rows that earlier runs answered (`first`, may be empty), then those that come, until
  // finish(). The document is complete when it returns.
  void run(const std::function<void(RowSink&, ResultColumns&)>& first);

  void finish();

 private:
  struct Item {
    RowPlace place;
    std::string packed;
    Outcome outcome;
  };

  ResultWriterSettings settings_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Item> items_;
  std::size_t bytes_ = 0;
  bool finished_ = false;
};

// Reads the shard's ledger file without opening it for writing: outcomes only.
std::shared_ptr<Shard> load_recorded_shard(const std::filesystem::path& job_folder,
                                           std::uint64_t number);

}  // namespace batchllm
