// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/engine.h"
#include "tests/support/memory_row_sink.h"
#include "tests/support/memory_row_source.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/text_row_encoder.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// A job over rows in memory, in a folder of its own; each run_over() is a process that takes it up
// where it stands.
class EngineJob {
 public:
  explicit EngineJob(std::vector<std::string> rows) : rows_(std::move(rows)) {
    settings.lane.max_attempts = 3;
    settings.job_folder = folder_.path();
    settings.reader.input_names = {"in.csv"};
    settings.result.open_source = [this](std::vector<std::string>& columns) {
      columns = {"text"};
      return std::make_unique<MemoryRowSource>(rows_);
    };
    settings.result.open_sink = [this] { return std::make_unique<MemoryRowSink>(written); };
  }

  EngineJob(const EngineJob&) = delete;
  EngineJob& operator=(const EngineJob&) = delete;

  EngineResult run_over(Transport& transport,
                        Provider& provider,
                        const Clock& clock = SystemClock()) {
    MemoryRowSource source(rows_);
    TextRowEncoder encoder;
    Ledger ledger(folder_.path(), "job_1");
    Manifest manifest(folder_.path("manifest.jsonl"));
    RejectLog rejects(folder_.path("rejects.jsonl"), {"in.csv"});
    StopReason stop;
    stop_ = &stop;
    if (before_run) {
      before_run(ledger);
    }
    Engine engine({source,
                   encoder,
                   provider,
                   transport,
                   ledger,
                   manifest,
                   rejects,
                   clock,
                   stop,
                   &concurrency},
                  settings);
    const EngineResult result = engine.run([](const ProgressSnapshot&) {});
    stop_ = nullptr;
    error = stop.reason();
    return result;
  }

  // From within an answer.
  void interrupt() { stop_->stop(Error(ErrorCode::interrupted, "interrupted")); }

  std::map<std::uint64_t, Outcome> outcomes() const {
    std::map<std::uint64_t, Outcome> found;
    scan_ledger(Ledger::shard_path(folder_.path(), 0),
                [&](std::uint64_t, std::string_view line, const LineGlance& seen) {
                  found[seen.row_index] = read_outcome_line(line).value();
                });
    return found;
  }

  std::string folder() const { return folder_.path(); }

  EngineSettings settings;
  ConcurrencyLimit concurrency;
  WrittenRows written;
  std::function<void(Ledger&)> before_run;
  std::optional<Error> error;

 private:
  ScratchFolder folder_;
  std::vector<std::string> rows_;
  StopReason* stop_ = nullptr;
};

}  // namespace batchllm
