// SPDX-License-Identifier: Apache-2.0
#include "core/engine.h"

#include "core/lane_set.h"
#include "core/task_queue.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_rows_queued = 1024;
constexpr std::uint64_t k_rows_ahead_of_result = 32 * k_rows_per_shard;
constexpr std::size_t k_bytes_waiting_for_result = std::size_t{32} << 20;
constexpr Milliseconds k_tick{100};
constexpr Milliseconds k_sync_interval{200};
constexpr double k_rate_memory_s = 5;

// Runs the body of a thread; what it throws stops the run.
template <typename Body>
void guarded(StopReason& stop, Body body) {
  try {
    body();
  } catch (const Error& error) {
    stop.stop(error);
  } catch (const std::exception& bug) {
    stop.stop(Error(ErrorCode::internal, bug.what()));
  }
}

}  // namespace

void open_unsealed_shards(Ledger& ledger,
                          const Manifest& manifest,
                          const std::filesystem::path& job_folder) {
  const auto sealed = manifest.shards();
  for (const std::uint64_t number : Ledger::shards_in(job_folder)) {
    if (!sealed.contains(number)) {
      ledger.open_shard(number);
    }
  }
}

Engine::Engine(EngineParts parts, EngineSettings settings)
    : parts_(parts),
      settings_(std::move(settings)) {}

EngineResult Engine::run(const ShowProgress& show) {
  started_at_ = rate_at_ = parts_.clock.now();
  open_unsealed_shards(parts_.ledger, parts_.manifest, settings_.job_folder);
  for (const std::uint64_t number : Ledger::shards_in(settings_.job_folder)) {
    sizes_at_start_[number] =
        std::filesystem::file_size(Ledger::shard_path(settings_.job_folder, number));
  }
  earlier_ = parts_.manifest.totals();
  earlier_ += parts_.ledger.opened_totals();
  counters_.already_done = earlier_.done();
  sealed_rows_ = parts_.manifest.totals().done();
  const auto sealed = parts_.manifest.shards();
  const bool streams_answers = settings_.order == RowOrder::completion;

  LaneSet lanes(settings_.lane, settings_.other_lanes);
  Budget budget(settings_.max_cost_micro_usd,
                earlier_.cost_micro_usd + parts_.ledger.open_answers_micro_usd(),
                parts_.ledger.open_attempts_micro_usd());
  TaskQueue queue(k_rows_queued, settings_.max_bytes_in_flight);
  settings_.reader.pack_rows = streams_answers || settings_.dispatcher.steps != nullptr;
  RowReader reader(parts_.source,
                   parts_.encoder,
                   parts_.ledger,
                   sealed,
                   parts_.rejects,
                   queue,
                   counters_,
                   settings_.reader);
  Dispatcher dispatcher(parts_.transport,
                        parts_.provider,
                        lanes,
                        budget,
                        parts_.ledger,
                        queue,
                        counters_,
                        parts_.stop,
                        parts_.clock,
                        settings_.dispatcher);
  ResultWriter writer(settings_.result, &parts_.ledger, settings_.job_folder, sealed);
  CompletionWriter completion(settings_.result, k_bytes_waiting_for_result);
  queue.on_arrival([this] { parts_.transport.wake(); });
  const std::stop_callback wake_network(parts_.stop.token(), [this] { parts_.transport.wake(); });
  const ConcurrencyLimit::Watch wake_for_limit(parts_.concurrency,
                                               [this] { parts_.transport.wake(); });
  if (parts_.concurrency != nullptr) {
    dispatcher.follow(*parts_.concurrency);
  }
  if (streams_answers) {
    dispatcher.on_outcome([&](std::unique_ptr<RowTask>& task, const Outcome& outcome) {
      completion.add(task->place, std::move(task->record), outcome);
    });
    dispatcher.pace_with([&] { return completion.has_room(); });
  } else {
    reader.wait_before_row([&writer](std::uint64_t row, const std::stop_token& stop) {
      while (row > writer.position() + k_rows_ahead_of_result && !stop.stop_requested()) {
        std::this_thread::sleep_for(k_tick);
      }
      return !stop.stop_requested();
    });
  }

  bool result_complete = false;
  std::stop_source give_up_result;
  const std::stop_callback free_disk(parts_.stop.token(), [&] {
    if (settings_.result.may_restart) {
      give_up_result
          .request_stop();  // an incomplete file is of no use, and may be what fills the disk
    }
  });
  std::thread reader_thread([&] { read_rows(queue, reader); });
  std::thread writer_thread([&] {
    guarded(parts_.stop, [&] {
      if (streams_answers) {
        completion.run(earlier_rows());
        result_complete = true;
      } else {
        result_complete = writer.write_in_input_order(give_up_result.get_token());
      }
    });
  });
  std::thread watch_thread([&] { guarded(parts_.stop, [&] { watch(writer, show); }); });
  // On the thread that called: the allocator serves a program's first thread with fewer system
  // calls than others, and thousands of connections are much to allocate.
  guarded(parts_.stop, [&] { parts_.transport.run(dispatcher); });
  {
    const std::lock_guard lock(mutex_);
    network_is_done_ = true;
  }
  network_ended_.notify_all();
  watch_thread.join();
  reader_thread.join();
  const bool all_read = counters_.reading_is_done;
  writer.finish_run(all_read ? std::optional(reader.end_row()) : std::nullopt);
  completion.finish();
  writer_thread.join();
  guarded(parts_.stop, [&] {
    parts_.ledger.sync();
    seal_shards(reader.end_row() + k_rows_per_shard);
  });

  EngineResult result;
  result.progress = snapshot(parts_.clock.now());
  if (result.progress.elapsed_s > 0) {
    const std::uint64_t now_done = result.progress.done - result.progress.already_done;
    result.progress.rows_per_s = static_cast<double>(now_done) / result.progress.elapsed_s;
  }
  result.all_rows_done = all_read && lanes.in_flight() == 0 && lanes.ready_count() == 0 &&
                         lanes.waiting_count() == 0 && queue.is_drained() &&
                         parts_.ledger.open_shards().empty();
  result.result_complete = result_complete && result.all_rows_done;
  result.bad_rows = counters_.bad_rows;
  result.in_doubt = counters_.in_doubt;
  result.in_doubt_micro_usd = counters_.in_doubt_micro_usd;
  result.requests = counters_.requests;
  show(result.progress);
  return result;
}

void Engine::read_rows(TaskQueue& queue, RowReader& reader) {
  guarded(parts_.stop, [&] { reader.run(parts_.stop.token()); });
  queue.finish();
}

void Engine::watch(ResultWriter& writer, const ShowProgress& show) {
  TimePoint synced_at = parts_.clock.now();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (network_ended_.wait_for(lock, k_tick, [this] { return network_is_done_; })) {
        return;
      }
    }
    const TimePoint now = parts_.clock.now();
    if (now - synced_at >= k_sync_interval) {
      synced_at = now;
      guarded(parts_.stop, [&] {
        parts_.ledger.sync();
        seal_shards(settings_.order == RowOrder::input ? writer.position() : ~std::uint64_t{0});
      });
    }
    show(snapshot(now));
  }
}

// Shards that are complete get their line in the manifest; those that the result is past are
// forgotten.
void Engine::seal_shards(std::uint64_t written_before_row) {
  for (const auto& shard : parts_.ledger.open_shards()) {
    if (!shard->is_complete()) {
      continue;
    }
    if (!shard->is_sealed) {
      SealedShard sealed;
      sealed.number = shard->number();
      sealed.rows = shard->rows();
      sealed.matched = shard->matched();
      sealed.next_place = shard->next_place();
      sealed.totals = parts_.ledger.shard_totals(shard->number());
      sealed.totals.excluded = sealed.rows - sealed.totals.done();
      parts_.ledger.sync();
      parts_.manifest.seal(sealed);
      shard->is_sealed = true;
    }
    if (written_before_row >= shard->first_row() + k_rows_per_shard) {
      parts_.ledger.close_shard(shard->number());
    }
  }
}

ProgressSnapshot Engine::snapshot(TimePoint now) {
  ProgressSnapshot now_at;
  now_at.ok = earlier_.ok + counters_.ok;
  now_at.failed = earlier_.failed + counters_.failed;
  now_at.skipped = earlier_.skipped + counters_.skipped;
  now_at.done = now_at.ok + now_at.failed + now_at.skipped;
  now_at.already_done = earlier_.done();
  now_at.in_flight = counters_.in_flight;
  now_at.waiting_for_retry = counters_.waiting;
  now_at.cost_micro_usd = earlier_.cost_micro_usd + counters_.cost_micro_usd;
  now_at.cost_is_known = settings_.dispatcher.steps == nullptr
                             ? settings_.dispatcher.price.has_value()
                             : settings_.dispatcher.steps->price_is_known();
  now_at.input_tokens = earlier_.input_tokens + counters_.input_tokens;
  now_at.output_tokens = earlier_.output_tokens + counters_.output_tokens;
  now_at.paused_ms = counters_.paused_ms;
  now_at.elapsed_s = std::chrono::duration<double>(now - started_at_).count();
  const double passed = std::chrono::duration<double>(now - rate_at_).count();
  if (passed > 0.05) {
    const double current =
        static_cast<double>(now_at.done - now_at.already_done - rate_done_) / passed;
    const double weight =
        std::min(1.0, passed / std::min(k_rate_memory_s, std::max(now_at.elapsed_s, 0.1)));
    rate_ += (current - rate_) * weight;
    rate_at_ = now;
    rate_done_ = now_at.done - now_at.already_done;
  }
  now_at.rows_per_s = rate_;
  // Rows in sealed shards are done and are not read again.
  const std::uint64_t read = counters_.rows_read + sealed_rows_;
  if (counters_.reading_is_done) {
    now_at.total = std::max(read, now_at.done);
    now_at.total_is_exact = true;
  } else if (settings_.reader.sampled_rows) {
    now_at.total = settings_.reader.sampled_rows->size();
    now_at.total_is_exact = true;
  } else {
    const double fraction = counters_.fraction_read;
    if (fraction > 0 && read > 0) {
      auto total = static_cast<std::uint64_t>(static_cast<double>(read) / fraction);
      if (settings_.reader.limit) {
        total = std::min(total, *settings_.reader.limit);
      }
      now_at.total = std::max(total, std::max(now_at.done, read));
    }
  }
  return now_at;
}

// For results in completion order: what earlier runs answered, in input order, before what comes
// now. Live answers are told apart by their place behind what the ledger files held at the start.
std::function<void(RowSink&, ResultColumns&)> Engine::earlier_rows() {
  if (earlier_.done() == 0) {
    return {};
  }
  return [this](RowSink& sink, ResultColumns& columns) {
    std::vector<std::string> input_columns;
    const auto source = settings_.result.open_source(input_columns);
    std::map<std::uint64_t, std::uint64_t> sizes = sizes_at_start_;
    RowBatch batch;
    std::optional<std::uint64_t> number;
    std::shared_ptr<Shard> shard;
    std::unique_ptr<LedgerReader> ledger;
    while (source->next_batch(batch)) {
      for (std::size_t row = 0; row < batch.row_count(); ++row) {
        const std::uint64_t row_index = batch.places[row].row_index;
        if (number != row_index / k_rows_per_shard) {
          number = row_index / k_rows_per_shard;
          if (sizes.empty() || *number > sizes.rbegin()->first) {
            return;
          }
          shard.reset();
          if (sizes.contains(*number)) {
            // The open shard knows which rows are asked again (retry); their new answers stream.
            shard = parts_.ledger.find_shard(*number);
            if (shard == nullptr) {
              shard = load_recorded_shard(settings_.job_folder, *number);
            }
            ledger =
                std::make_unique<LedgerReader>(Ledger::shard_path(settings_.job_folder, *number));
          }
        }
        if (shard == nullptr) {
          continue;
        }
        const RowState state = shard->state(row_index);
        if (state.kind() != RowState::Kind::settled || state.ledger_offset() >= sizes[*number]) {
          continue;
        }
        if (const auto outcome = read_outcome_line(ledger->line_at(state.ledger_offset()))) {
          sink.write(batch, row, columns.cells(*outcome));
        }
      }
    }
  };
}

}  // namespace batchllm
