// SPDX-License-Identifier: Apache-2.0
#include "core/result_writer.h"

#include "core/error.h"
#include "core/packed_row.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace batchllm {
namespace {

// How often the writer looks for answers while it waits for one: often enough for a person at the
// end of a pipe, seldom enough to cost nothing.
constexpr std::chrono::milliseconds k_nap{25};

}  // namespace

std::shared_ptr<Shard> load_recorded_shard(const std::filesystem::path& job_folder,
                                           std::uint64_t number) {
  auto shard = std::make_shared<Shard>(number);
  const std::uint64_t first = shard->first_row();
  scan_ledger(Ledger::shard_path(job_folder, number),
              [&](std::uint64_t offset, std::string_view, const LineGlance& seen) {
                if (seen.row_index >= first && seen.row_index < first + k_rows_per_shard) {
                  shard->settle(seen.row_index, seen.status, offset);
                }
              });
  return shard;
}

ResultWriter::ResultWriter(ResultWriterSettings settings,
                           const Ledger* ledger,
                           std::filesystem::path job_folder,
                           std::map<std::uint64_t, SealedShard> sealed)
    : settings_(std::move(settings)),
      ledger_(ledger),
      job_folder_(std::move(job_folder)),
      sealed_(std::move(sealed)) {}

void ResultWriter::begin(bool with_error) {
  with_error_ = with_error;
  std::vector<std::string> input_columns;
  source_ = settings_.open_source(input_columns);
  sink_ = settings_.open_sink();
  columns_.emplace(settings_.columns, with_error, input_columns);
  sink_->begin(input_columns, columns_->names());
  shard_number_.reset();
  rows_written_ = 0;
  position_ = 0;
}

bool ResultWriter::write_in_input_order(std::stop_token stop) {
  begin(false);
  bool complete = pass(stop, true);
  if (complete) {
    sink_->finish();
  }
  return complete;
}

void ResultWriter::write_recorded(bool some_failed) {
  begin(some_failed);
  pass({}, false);
  sink_->finish();
}

bool ResultWriter::pass(std::stop_token stop, bool wait) {
  RowBatch batch;
  bool again = true;
  while (again) {
    again = false;
    while (!again && source_->next_batch(batch)) {
      for (std::size_t row = 0; row < batch.row_count(); ++row) {
        RowState state;
        const Found found = wait_for(batch.places[row].row_index, stop, wait, state);
        if (found == Found::unfinished) {
          return false;
        }
        if (found == Found::row && !write_row(batch, row, state)) {
          // The first failed row: once more from the start, with a column for the reason.
          begin(true);
          again = true;
          break;
        }
      }
      const std::lock_guard lock(mutex_);
      if (end_row_ && position_ >= *end_row_) {
        break;
      }
    }
  }
  return true;
}

ResultWriter::Found ResultWriter::wait_for(std::uint64_t row_index,
                                           std::stop_token stop,
                                           bool wait,
                                           RowState& state) {
  position_.store(row_index, std::memory_order_relaxed);
  while (true) {
    enter_shard(row_index / k_rows_per_shard, wait);
    if (shard_ != nullptr) {
      state = shard_->state(row_index);
      if (state.kind() != RowState::Kind::unknown) {
        break;
      }
      if (shard_is_recorded_) {
        state = RowState::excluded();
        break;
      }
    }
    {
      const std::lock_guard lock(mutex_);
      if (run_is_over_) {
        if (end_row_ && row_index >= *end_row_) {
          return Found::nothing;
        }
        // Settled just before the end?
        if (shard_ == nullptr || shard_->state(row_index).kind() == RowState::Kind::unknown) {
          return Found::unfinished;
        }
        continue;
      }
    }
    sink_->flush();
    if (!nap(stop)) {
      return Found::unfinished;
    }
  }
  position_.store(row_index + 1, std::memory_order_relaxed);
  return state.kind() == RowState::Kind::settled ? Found::row : Found::nothing;
}

void ResultWriter::enter_shard(std::uint64_t number, bool wait) {
  if (shard_number_ == number && shard_ != nullptr) {
    return;
  }
  reader_.reset();
  shard_number_ = number;
  shard_is_recorded_ = !wait || sealed_.contains(number) || ledger_->was_closed(number);
  if (shard_is_recorded_) {
    shard_ = load_recorded_shard(job_folder_, number);
  } else {
    shard_ = ledger_->find_shard(number);
  }
}

bool ResultWriter::write_row(const RowBatch& batch, std::size_t row, RowState state) {
  const bool failed = state.status() != RowStatus::ok;
  if ((settings_.rows == ResultRows::ok && failed) ||
      (settings_.rows == ResultRows::failed && !failed)) {
    return true;
  }
  if (failed && !with_error_ && settings_.may_restart && settings_.adds_error_column &&
      !settings_.columns.include_meta) {
    return false;
  }
  if (reader_ == nullptr) {
    reader_ = std::make_unique<LedgerReader>(Ledger::shard_path(job_folder_, *shard_number_));
  }
  const auto outcome = read_outcome_line(reader_->line_at(state.ledger_offset()));
  if (!outcome) {
    throw Error(ErrorCode::job_corrupt,
                "the ledger in " + job_folder_.string() + " holds a record that cannot be read");
  }
  sink_->write(batch, row, columns_->cells(*outcome));
  ++rows_written_;
  return true;
}

bool ResultWriter::nap(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, k_nap, [this] { return run_is_over_; });
  return !stop.stop_requested();
}

void ResultWriter::finish_run(std::optional<std::uint64_t> end_row) {
  {
    const std::lock_guard lock(mutex_);
    run_is_over_ = true;
    end_row_ = end_row;
  }
  changed_.notify_all();
}

CompletionWriter::CompletionWriter(ResultWriterSettings settings, std::size_t max_bytes)
    : settings_(std::move(settings)),
      max_bytes_(max_bytes) {}

void CompletionWriter::add(const RowPlace& place, std::string packed_row, Outcome outcome) {
  {
    const std::lock_guard lock(mutex_);
    bytes_ += packed_row.size() + outcome.output.size() + sizeof(Item);
    for (const StepOutcome& step : outcome.steps) {
      bytes_ += step.output.size() + sizeof(step);
    }
    items_.push_back({place, std::move(packed_row), std::move(outcome)});
  }
  arrived_.notify_one();
}

bool CompletionWriter::has_room() const {
  const std::lock_guard lock(mutex_);
  return bytes_ < max_bytes_;
}

void CompletionWriter::run(const std::function<void(RowSink&, ResultColumns&)>& first) {
  std::vector<std::string> input_columns;
  settings_.open_source(input_columns).reset();
  const std::unique_ptr<RowSink> sink = settings_.open_sink();
  // Rows stream out before it is known whether one fails.
  ResultColumns columns(
      settings_.columns, settings_.may_restart && settings_.adds_error_column, input_columns);
  sink->begin(input_columns, columns.names());
  if (first) {
    first(*sink, columns);
  }
  RowBatch batch;
  while (true) {
    std::vector<Item> items;
    bool finished = false;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait_for(lock, k_nap, [this] { return !items_.empty() || finished_; });
      items.swap(items_);
      bytes_ = 0;
      finished = finished_;
    }
    for (const Item& item : items) {
      unpack_row(item.packed, item.place, batch);
      sink->write(batch, 0, columns.cells(item.outcome));
    }
    sink->flush();
    if (finished && items.empty()) {
      sink->finish();
      return;
    }
  }
}

void CompletionWriter::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  arrived_.notify_one();
}

}  // namespace batchllm
