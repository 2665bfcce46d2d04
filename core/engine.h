// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/budget.h"
#include "core/clock.h"
#include "core/concurrency_limit.h"
#include "core/dispatcher.h"
#include "core/job_progress.h"
#include "core/ledger.h"
#include "core/manifest.h"
#include "core/progress.h"
#include "core/provider.h"
#include "core/reject_log.h"
#include "core/result_writer.h"
#include "core/row_encoder.h"
#include "core/row_reader.h"
#include "core/row_source.h"
#include "core/transport.h"

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace batchllm {

// What a run is made of. Everything outlives the engine.
struct EngineParts {
  RowSource& source;
  RowEncoder& encoder;
  Provider& provider;
  Transport& transport;
  Ledger& ledger;
  Manifest& manifest;
  RejectLog& rejects;
  const Clock& clock;
  StopReason& stop;
  ConcurrencyLimit* concurrency = nullptr;  // changes that of every lane while it runs
};

struct EngineSettings {
  LaneSettings lane;
  std::vector<LaneSettings> other_lanes;  // of the transport's endpoints behind the first
  DispatcherSettings dispatcher;
  RowReaderSettings reader;
  ResultWriterSettings result;
  RowOrder order = RowOrder::input;
  std::optional<std::int64_t> max_cost_micro_usd;
  std::size_t max_bytes_in_flight = std::size_t{256} << 20;
  std::filesystem::path job_folder;
};

struct EngineResult {
  bool all_rows_done = false;    // every row of the job has its outcome
  bool result_complete = false;  // and the result is written
  ProgressSnapshot progress;
  std::uint64_t bad_rows = 0;
  std::uint64_t in_doubt = 0;           // rows of earlier runs whose answer was unknown
  std::int64_t in_doubt_micro_usd = 0;  // what they may have cost
  std::uint64_t requests = 0;
};

// Opens what earlier runs left open: their outcomes count from the start, and their ledgers tell
// what is in doubt. Shards that are open already stay as they are.
void open_unsealed_shards(Ledger& ledger,
                          const Manifest& manifest,
                          const std::filesystem::path& job_folder);

// Runs a job from where it stands to its end or to a stop: one thread each for reading, writing the
// result and progress, and the caller's for the network. Why it stopped, if it did, is in
// `parts.stop`.
class Engine {
 public:
  using ShowProgress = std::function<void(const ProgressSnapshot&)>;

  Engine(EngineParts parts, EngineSettings settings);

  // `show` is called on a thread of its own a few times a second, and at the end on this one.
  EngineResult run(const ShowProgress& show);

 private:
  void read_rows(TaskQueue& queue, RowReader& reader);
  void watch(ResultWriter& writer, const ShowProgress& show);
  void seal_shards(std::uint64_t written_before_row);
  ProgressSnapshot snapshot(TimePoint now);
  std::function<void(RowSink&, ResultColumns&)> earlier_rows();

  EngineParts parts_;
  EngineSettings settings_;
  JobCounters counters_;
  ShardTotals earlier_;
  std::map<std::uint64_t, std::uint64_t> sizes_at_start_;  // of the ledger files
  std::uint64_t sealed_rows_ = 0;
  std::mutex mutex_;
  std::condition_variable network_ended_;
  bool network_is_done_ = false;
  TimePoint started_at_{};
  TimePoint rate_at_{};
  std::uint64_t rate_done_ = 0;
  double rate_ = 0;
};

}  // namespace batchllm
