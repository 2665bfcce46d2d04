// SPDX-License-Identifier: Apache-2.0
#include "core/row_reader.h"

#include "core/bad_row_error.h"
#include "core/packed_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_rows_checked_first = 1000;
constexpr std::size_t k_bytes_checked_first = std::size_t{8} << 20;
constexpr std::size_t k_rows_per_task_batch = 64;
constexpr std::size_t k_bytes_per_task_batch = std::size_t{256} << 10;

}  // namespace

RowReader::RowReader(RowSource& source,
                     RowEncoder& encoder,
                     Ledger& ledger,
                     std::map<std::uint64_t, SealedShard> sealed,
                     RejectLog& rejects,
                     TaskQueue& queue,
                     JobCounters& counters,
                     RowReaderSettings settings)
    : source_(source),
      encoder_(encoder),
      ledger_(ledger),
      sealed_(std::move(sealed)),
      rejects_(rejects),
      queue_(queue),
      counters_(counters),
      settings_(std::move(settings)) {}

void RowReader::run(std::stop_token stop) {
  if (!start_at_first_open_shard() || (read_batches(stop) && hand_on(stop))) {
    end_shard(std::nullopt);
    counters_.reading_is_done = true;
  }
}

// False when every row of the job lies in a sealed shard.
bool RowReader::start_at_first_open_shard() {
  const SealedShard* last = nullptr;
  for (const auto& [number, shard] : sealed_) {
    if (number != (last == nullptr ? 0 : last->number + 1)) {
      break;
    }
    last = &shard;
  }
  if (last == nullptr) {
    return true;
  }
  matched_ = last->matched;
  next_row_ = last->number * k_rows_per_shard + last->rows;
  if (!last->next_place) {
    return false;
  }
  source_.seek(*last->next_place);
  return true;
}

bool RowReader::read_batches(std::stop_token stop) {
  while (!stop.stop_requested()) {
    if (is_behind_selection() || !source_.next_batch(batch_)) {
      return true;
    }
    const Step step = take_batch(stop);
    counters_.fraction_read = source_.fraction_read().value_or(-1.0);
    if (step == Step::end) {
      return !stop.stop_requested();
    }
    if (!first_rows_checked_ &&
        (rows_seen_ >= k_rows_checked_first || task_bytes_ >= k_bytes_checked_first ||
         !source_.fraction_read())) {
      first_rows_checked_ = true;
    }
    if (first_rows_checked_ && !hand_on(stop)) {
      return false;
    }
  }
  return false;
}

RowReader::Step RowReader::take_batch(std::stop_token stop) {
  std::size_t bad = 0;
  for (std::size_t row = 0; row < batch_.row_count(); ++row) {
    const std::uint64_t row_index = batch_.places[row].row_index;
    while (bad < batch_.bad_rows.size() && batch_.bad_rows[bad].place.row_index < row_index) {
      if (is_behind_selection()) {
        return Step::end;
      }
      take_bad_row(batch_.bad_rows[bad++]);
    }
    const Step step = take_row(row, stop);
    if (step != Step::go_on) {
      return step;
    }
  }
  while (bad < batch_.bad_rows.size() && !is_behind_selection()) {
    take_bad_row(batch_.bad_rows[bad++]);
  }
  return Step::go_on;
}

RowReader::Step RowReader::take_row(std::size_t row, std::stop_token stop) {
  const RowPlace& place = batch_.places[row];
  if (is_behind_selection()) {
    return Step::end;
  }
  const Step step = enter_shard(place);
  if (step != Step::go_on) {
    return step;
  }
  ++rows_seen_;
  next_row_ = place.row_index + 1;
  if (!is_selected(row, place.row_index)) {
    shard_->exclude(place.row_index);
    return Step::go_on;
  }
  counters_.rows_read.fetch_add(1, std::memory_order_relaxed);
  if (shard_->state(place.row_index).kind() != RowState::Kind::unknown) {
    return Step::go_on;
  }
  ask(row, place);
  const bool full = tasks_.size() >= k_rows_per_task_batch || task_bytes_ >= k_bytes_per_task_batch;
  if (full && first_rows_checked_ && !hand_on(stop)) {
    return Step::end;
  }
  if (wait_ && place.row_index % k_rows_per_task_batch == 0 && !wait_(place.row_index, stop)) {
    return Step::end;
  }
  return Step::go_on;
}

RowReader::Step RowReader::enter_shard(const RowPlace& place) {
  const std::uint64_t number = place.row_index / k_rows_per_shard;
  if (shard_ != nullptr && shard_->number() == number) {
    return Step::go_on;
  }
  end_shard(place);
  const auto sealed = sealed_.find(number);
  if (sealed == sealed_.end()) {
    shard_ = ledger_.open_shard(number);
    return Step::go_on;
  }
  matched_ = sealed->second.matched;
  next_row_ = number * k_rows_per_shard + sealed->second.rows;
  if (!sealed->second.next_place) {
    return Step::end;
  }
  source_.seek(*sealed->second.next_place);
  return Step::sought;
}

void RowReader::take_bad_row(const BadRow& bad) {
  if (enter_shard(bad.place) != Step::go_on) {
    return;
  }
  ++rows_seen_;
  const std::string& name = bad.place.input < settings_.input_names.size()
                                ? settings_.input_names[bad.place.input]
                                : std::string("input");
  if (settings_.on_bad_row == BadRowPolicy::stop) {
    throw bad_row_error(
        bad,
        name,
        fmt::format("correct the file, or use --on-bad-row reject: bad rows go to {} and the "
                    "others are asked",
                    settings_.rejects_name));
  }
  rejects_.add(bad);
  counters_.bad_rows.fetch_add(1, std::memory_order_relaxed);
  shard_->exclude(bad.place.row_index);
  next_row_ = bad.place.row_index + 1;
}

bool RowReader::is_selected(std::size_t row, std::uint64_t row_index) {
  if (settings_.sampled_rows) {
    const auto& rows = *settings_.sampled_rows;
    while (next_sampled_ < rows.size() && rows[next_sampled_] < row_index) {
      ++next_sampled_;
    }
    return next_sampled_ < rows.size() && rows[next_sampled_] == row_index;
  }
  if (!encoder_.matches(batch_, row)) {
    return false;
  }
  return ++matched_ > settings_.offset;
}

bool RowReader::is_behind_selection() const noexcept {
  if (settings_.sampled_rows) {
    return settings_.sampled_rows->empty() || next_row_ > settings_.sampled_rows->back();
  }
  return settings_.limit && matched_ >= settings_.offset + *settings_.limit;
}

void RowReader::ask(std::size_t row, const RowPlace& place) {
  auto task = queue_.fresh_task();
  task->place = place;
  encoder_.encode(batch_, row, *task);
  if (settings_.pack_rows) {
    pack_row(batch_, row, task->record);
  }
  settle_doubt(*task);
  task_bytes_ += task->body.size() + task->record.size();
  tasks_.push_back(std::move(task));
}

void RowReader::settle_doubt(RowTask& task) {
  auto attempt = ledger_.take_open_attempt(task.place.row_index);
  if (!attempt) {
    return;
  }
  task.earlier_attempts = attempt->attempts;
  task.answers = std::move(attempt->answers);
  if (attempt->answered) {
    return;
  }
  counters_.in_doubt.fetch_add(1, std::memory_order_relaxed);
  counters_.in_doubt_micro_usd.fetch_add(attempt->max_cost_micro_usd, std::memory_order_relaxed);
  if (settings_.in_doubt == InDoubtPolicy::retry) {
    return;
  }
  task.known_failure = RowFailure::in_doubt;
  task.known_status =
      settings_.in_doubt == InDoubtPolicy::skip ? RowStatus::skipped : RowStatus::failed;
  task.problem = "it was sent before the run was interrupted; whether it was answered is not known";
}

bool RowReader::hand_on(std::stop_token stop) {
  task_bytes_ = 0;
  if (tasks_.empty()) {
    return true;
  }
  if (tasks_.size() <= 2 * k_rows_per_task_batch) {
    return queue_.push(std::exchange(tasks_, {}), stop);
  }
  // The first rows were held back: hand them on in batches of the usual size.
  for (std::size_t start = 0; start < tasks_.size(); start += k_rows_per_task_batch) {
    const std::size_t end = std::min(tasks_.size(), start + k_rows_per_task_batch);
    TaskBatch part;
    for (std::size_t i = start; i < end; ++i) {
      part.push_back(std::move(tasks_[i]));
    }
    if (!queue_.push(std::move(part), stop)) {
      return false;
    }
  }
  tasks_.clear();
  return true;
}

void RowReader::end_shard(std::optional<RowPlace> next) {
  if (shard_ == nullptr) {
    return;
  }
  const std::uint64_t rows =
      next ? k_rows_per_shard : next_row_ - std::min(next_row_, shard_->first_row());
  if (settings_.at_mark) {
    settings_.at_mark();
  }
  shard_->set_end(rows, matched_, next);
  shard_.reset();
}

}  // namespace batchllm
