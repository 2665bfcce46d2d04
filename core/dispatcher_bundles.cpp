// SPDX-License-Identifier: Apache-2.0
// Requests for many rows: how their attempts, answers and failures become those of each row.
#include "core/dispatcher.h"

#include <fmt/format.h>

#include <utility>

namespace batchllm {

void Dispatcher::line_up(std::unique_ptr<RowTask> task, TimePoint now) {
  Lane& lane = lane_of(*task);
  if (!bundler_) {
    lane.add(std::move(task));
  } else if (auto bundle = bundler_->add(std::move(task), now)) {
    lane.add(std::move(bundle));
  }
}

void Dispatcher::note_attempt(RowTask& task) {
  ++task.attempts;
  if (task.rows.empty()) {
    ledger_.note_sent(
        {task.place.row_index, task.earlier_attempts + task.attempts, task.reserved_micro_usd});
    return;
  }
  ShareOut cost(task.reserved_micro_usd, task.estimated_tokens);
  for (const auto& row : task.rows) {
    ++row->attempts;
    ledger_.note_sent({row->place.row_index,
                       row->earlier_attempts + row->attempts,
                       cost.next(row->estimated_tokens)});
  }
}

void Dispatcher::take_back_attempt(RowTask& task) {
  --task.attempts;
  for (const auto& row : task.rows) {
    --row->attempts;
  }
}

void Dispatcher::note_ended(const RowTask& task, RowFailure failure) {
  if (task.rows.empty()) {
    ledger_.note_ended({task.place.row_index, task.earlier_attempts + task.attempts, failure});
    return;
  }
  for (const auto& row : task.rows) {
    ledger_.note_ended({row->place.row_index, row->earlier_attempts + row->attempts, failure});
  }
}

void Dispatcher::recycle(std::unique_ptr<RowTask> task) {
  if (task->rows.empty()) {
    queue_.recycle(std::move(task));
    return;
  }
  for (auto& row : task->rows) {
    queue_.recycle(std::move(row));
  }
}

// The budget has no room for so many rows, but perhaps for fewer.
bool Dispatcher::halve_for_budget(std::unique_ptr<RowTask>& task) {
  if (task->rows.size() < 2 || !budget_.holds_nothing()) {
    return false;
  }
  Lane& lane = lane_of(*task);
  lane.put_back(std::move(task));
  split(lane.take_first());
  return true;
}

// One of the rows is to blame: the halves are asked apart, until it stands alone.
void Dispatcher::split(std::unique_ptr<RowTask> bundle) {
  Lane& lane = lane_of(*bundle);
  auto [first, second] = halve_bundle(std::move(bundle));
  lane.add_first(std::move(second));
  lane.add_first(std::move(first));
}

void Dispatcher::take_answers(std::unique_ptr<RowTask> bundle,
                              HttpResponse& response,
                              const Answer& answer) {
  auto& rows = bundle->rows;
  if (answer.texts.size() != rows.size()) {
    take_failure(
        std::move(bundle),
        response,
        RowFailure::protocol_error,
        fmt::format("the response answers {} of {} rows", answer.texts.size(), rows.size()),
        answer.usage,
        {});
    return;
  }
  lane_of(*bundle).succeeded(clock_.now());
  Usage usage = answer.usage;
  if (usage.input_tokens == 0) {
    usage.input_tokens = bundle->estimated_tokens;  // not every provider tells
  }
  const std::optional<std::int64_t> cost = cost_of(*bundle, usage);
  budget_.settle(bundle->reserved_micro_usd, cost.value_or(0));
  ShareOut tokens(usage.input_tokens, bundle->estimated_tokens);
  ShareOut costs(cost.value_or(0), bundle->estimated_tokens);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t weight = rows[i]->estimated_tokens;
    Outcome outcome = start_outcome(*rows[i], response);
    outcome.status = RowStatus::ok;
    outcome.output = answer.texts[i];
    outcome.usage.input_tokens = tokens.next(weight);
    if (cost) {
      outcome.cost_micro_usd = costs.next(weight);
    }
    finish_row(std::move(rows[i]), std::move(outcome));
  }
}

// Every row of the request has failed as `failed` says.
void Dispatcher::finish_failed(std::unique_ptr<RowTask> task, const Outcome& failed) {
  ShareOut tokens(failed.usage.input_tokens, task->estimated_tokens);
  ShareOut costs(failed.cost_micro_usd.value_or(0), task->estimated_tokens);
  for (auto& row : task->rows) {
    Outcome outcome = failed;
    outcome.row_index = row->place.row_index;
    outcome.row_id = row->row_id;
    outcome.attempts = row->earlier_attempts + row->attempts;
    outcome.usage.input_tokens = tokens.next(row->estimated_tokens);
    if (failed.cost_micro_usd) {
      outcome.cost_micro_usd = costs.next(row->estimated_tokens);
    }
    finish_row(std::move(row), std::move(outcome));
  }
}

}  // namespace batchllm
