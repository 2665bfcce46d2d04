// SPDX-License-Identifier: Apache-2.0
// What becomes of a row when its response is there.
#include "core/dispatcher.h"
#include "core/token_estimate.h"

#include <fmt/format.h>

#include <utility>

namespace batchllm {
namespace {

RowFailure failure_of(TransportFailure failure) noexcept {
  switch (failure) {
    case TransportFailure::timeout:
      return RowFailure::timeout;
    case TransportFailure::broken:
    case TransportFailure::too_large:
      return RowFailure::protocol_error;
    default:
      return RowFailure::connection_failed;
  }
}

// What the ledger keeps of a step that ended so.
StepAnswer step_answer(const RowTask& task, const Outcome& outcome) {
  StepAnswer kept;
  kept.row_index = outcome.row_index;
  kept.attempt = outcome.attempts;
  kept.step = task.step;
  kept.failure = outcome.failure;
  kept.is_final = outcome.status != RowStatus::ok;
  kept.text = outcome.output;
  kept.message = outcome.message;
  kept.latency_ms = outcome.latency_ms;
  kept.usage = outcome.usage;
  kept.cost_micro_usd = outcome.cost_micro_usd;
  return kept;
}

// A provider may bill a request whose answer got lost.
bool may_have_arrived(TransportFailure failure) noexcept {
  return failure == TransportFailure::timeout || failure == TransportFailure::broken ||
         failure == TransportFailure::too_large;
}

}  // namespace

void Dispatcher::on_response(void* token, HttpResponse& response) {
  const auto slot = reinterpret_cast<std::size_t>(token);  // NOLINT
  std::unique_ptr<RowTask> task = std::move(flying_[slot]);
  free_slots_.push_back(slot);
  if (!task->rows.empty()) {
    std::string().swap(task->body);  // made anew should it be sent again
  }
  const TimePoint now = clock_.now();
  if (response.failure != TransportFailure::none) {
    if (response.failure == TransportFailure::tls) {
      stop_.stop(Error(
          ErrorCode::provider_unreachable,
          fmt::format("{} cannot be trusted: {}", endpoint_of(task->step), response.failure_text),
          "give the authority's certificate by --ca-file when the server uses its own"));
    }
    take_failure(
        std::move(task), response, failure_of(response.failure), response.failure_text, {}, {});
    return;
  }
  lane_of(*task).observe(*task, response, now);
  const Answer answer = provider_of(*task).decode(response);
  if (answer.retry_after_ms && !response.retry_after_ms) {
    response.retry_after_ms = answer.retry_after_ms;
  }
  if (answer.stops_run) {
    stop_run(*task, answer.failure, answer.message);
  }
  if (answer.failure == RowFailure::none && !task->rows.empty()) {
    take_answers(std::move(task), response, answer);
  } else if (answer.failure == RowFailure::none) {
    CheckedAnswer checked{true, answer.text, {}, {}};
    if (AnswerCheck* check = check_of(*task)) {
      checked = check->check(answer.text);
    }
    if (checked.is_valid) {
      take_answer(std::move(task), response, answer, checked.text);
    } else {
      take_invalid(std::move(task), response, answer, std::move(checked));
    }
  } else {
    take_failure(
        std::move(task), response, answer.failure, answer.message, answer.usage, answer.text);
  }
}

void Dispatcher::take_answer(std::unique_ptr<RowTask> task,
                             HttpResponse& response,
                             const Answer& answer,
                             std::string_view text) {
  lane_of(*task).succeeded(clock_.now());
  const std::optional<std::int64_t> cost = cost_of(*task, answer.usage);
  budget_.settle(task->reserved_micro_usd, cost.value_or(0));
  Outcome outcome = start_outcome(*task, response);
  outcome.status = RowStatus::ok;
  outcome.output = text;
  outcome.usage = answer.usage;
  outcome.cost_micro_usd = cost;
  end_step(std::move(task), std::move(outcome));
}

// `outcome` is that of the step at which the row is, and of the row when no other comes.
void Dispatcher::end_step(std::unique_ptr<RowTask> task, Outcome outcome) {
  StepChain* steps = settings_.steps;
  if (steps == nullptr) {
    finish_row(std::move(task), std::move(outcome));
    return;
  }
  StepAnswer kept = step_answer(*task, outcome);
  steps->note(*task, kept);
  const bool fails = outcome.status != RowStatus::ok;
  if ((!fails || steps->compares()) && steps->go_on(*task)) {
    keep(*task, kept);
    line_up_again(std::move(task));
    return;
  }
  if (fails && !steps->compares()) {
    outcome.message = fmt::format("step {}: {}", steps->at(task->step).names.name, outcome.message);
  }
  if (!fails && StepChain::has_failed_step(*task)) {
    ledger_.append(kept);  // what a retry does not ask again; the outcome counts what it has cost
  }
  steps->complete(*task, outcome);
  finish_row(std::move(task), std::move(outcome));
}

void Dispatcher::keep(RowTask& task, const StepAnswer& kept) {
  const std::int64_t cost = kept.cost_micro_usd.value_or(0);
  ledger_.append(kept);
  spend(task, kept.usage, kept.cost_micro_usd);
  task.shown_micro_usd += cost;
  counters_.cost_micro_usd.fetch_add(cost, std::memory_order_relaxed);
}

// The row has another request to come.
void Dispatcher::line_up_again(std::unique_ptr<RowTask> task) {
  if (stop_.token().stop_requested()) {
    queue_.recycle(std::move(task));  // the ledger has what it needs to go on
    return;
  }
  task->free_attempts = task->attempts;  // tries of the next request are counted anew
  queue_.weigh_again(*task);
  lane_of(*task).add_first(std::move(task));
}

// The provider did its part: what is wrong is said to the model, as often as it may be.
void Dispatcher::take_invalid(std::unique_ptr<RowTask> task,
                              HttpResponse& response,
                              const Answer& answer,
                              CheckedAnswer checked) {
  lane_of(*task).succeeded(clock_.now());
  const std::optional<std::int64_t> cost = cost_of(*task, answer.usage);
  budget_.settle(task->reserved_micro_usd, cost.value_or(0));
  Outcome outcome = start_outcome(*task, response);
  outcome.status = RowStatus::failed;
  outcome.failure = RowFailure::invalid_answer;
  outcome.message = std::move(checked.problem);
  outcome.output = answer.text;
  outcome.usage = answer.usage;
  outcome.cost_micro_usd = cost;
  if (task->reasked == settings_.reasks) {
    end_step(std::move(task), std::move(outcome));
    return;
  }
  StepAnswer kept = step_answer(*task, outcome);
  kept.is_final = false;
  keep(*task, kept);
  if (settings_.steps != nullptr) {
    settings_.steps->note(*task, kept);
  }
  ask_again(*task, answer.text, checked.request);
  line_up_again(std::move(task));
}

void Dispatcher::ask_again(RowTask& task, std::string_view answer, std::string_view request) {
  provider_of(task).append_turns(task.body, answer, request);
  task.estimated_tokens += estimate_tokens(answer).upper + estimate_tokens(request).upper;
  ++task.reasked;
}

// Takes a row up where an earlier run left it. False: it is not asked.
bool Dispatcher::go_on_with_answers(RowTask& task) {
  const std::vector<StepAnswer> answers = std::exchange(task.answers, {});
  StepChain* steps = settings_.steps;
  for (const StepAnswer& answer : answers) {
    spend(task, answer.usage, answer.cost_micro_usd);
    if (steps != nullptr) {
      steps->note(task, answer);
    }
  }
  const bool is_the_rows = steps == nullptr || !steps->compares();
  if (task.known_failure == RowFailure::in_doubt ||
      (task.known_failure != RowFailure::none && is_the_rows)) {
    return false;
  }
  if (steps != nullptr && !take_next_step(task)) {
    return false;
  }
  for (const StepAnswer& answer : answers) {
    if (answer.step != task.step) {
      continue;
    }
    AnswerCheck* check = check_of(task);
    const CheckedAnswer checked = check == nullptr ? CheckedAnswer{} : check->check(answer.text);
    if (!checked.is_valid && task.reasked < settings_.reasks) {
      ask_again(task, answer.text, checked.request);
    }
  }
  return true;
}

// Brings a row to the first step that is not done. False: there is none.
bool Dispatcher::take_next_step(RowTask& task) {
  StepChain& steps = *settings_.steps;
  if (task.known_failure != RowFailure::none) {
    // The first of the models that are compared cannot be asked; others can.
    StepAnswer failed;
    failed.failure = std::exchange(task.known_failure, RowFailure::none);
    failed.is_final = true;
    failed.message = std::move(task.problem);
    if (task.steps.empty() || !task.steps.front().is_done) {
      steps.note(task, failed);
    }
  }
  while (!task.steps.empty() && task.steps.at(task.step).is_done) {
    if (!steps.go_on(task)) {
      return false;
    }
  }
  return true;
}

void Dispatcher::spend(RowTask& task, const Usage& usage, std::optional<std::int64_t> cost) {
  task.spent.input_tokens += usage.input_tokens;
  task.spent.output_tokens += usage.output_tokens;
  task.spent.cached_tokens += usage.cached_tokens;
  if (cost) {
    task.spent_micro_usd = task.spent_micro_usd.value_or(0) + *cost;
  }
}

void Dispatcher::take_failure(std::unique_ptr<RowTask> task,
                              HttpResponse& response,
                              RowFailure failure,
                              std::string message,
                              const Usage& usage,
                              std::string_view partial) {
  const TimePoint now = clock_.now();
  const std::uint32_t step = task->step;
  Lane& lane = lane_of(*task);
  const bool stops = failure == RowFailure::auth_refused || failure == RowFailure::quota_exhausted;
  const bool is_final =
      response.should_retry == false || response.failure == TransportFailure::too_large;
  const std::int64_t cost = cost_of(*task, usage).value_or(0);
  if (may_have_arrived(response.failure)) {
    budget_.settle_unanswered(task->reserved_micro_usd);
  } else {
    budget_.settle(task->reserved_micro_usd, cost);
  }
  counters_.cost_micro_usd.fetch_add(cost, std::memory_order_relaxed);
  if (stops || stop_.token().stop_requested()) {
    // The row is not to blame: it is asked again when the job is resumed.
    if (stops || RetryPolicy::is_transient(failure)) {
      note_ended(*task, failure);
      lane.failed_for_good(failure, now);
      recycle(std::move(task));
      return;
    }
  } else if (!is_final) {
    const RowTask& asked = *task;  // the lane keeps it where it is
    if (RetryPolicy::is_transient(failure) &&
        lane.retry(task, failure, response.retry_after_ms, now)) {
      note_ended(asked, failure);
      check_verdict(step, now, message);
      return;
    }
  }
  lane.failed_for_good(failure, now);
  check_verdict(step, now, message);
  const bool may_be_one_row =
      !RetryPolicy::is_transient(failure) || response.failure == TransportFailure::too_large;
  if (task->rows.size() > 1 && may_be_one_row) {
    note_ended(*task, failure);
    split(std::move(task));
    return;
  }
  Outcome outcome = start_outcome(*task, response);
  outcome.status = RowStatus::failed;
  outcome.failure = failure;
  outcome.message = std::move(message);
  outcome.output = partial;
  outcome.usage = usage;
  outcome.cost_micro_usd = cost_of(*task, usage);
  counters_.cost_micro_usd.fetch_sub(cost, std::memory_order_relaxed);
  if (task->rows.empty()) {
    end_step(std::move(task), std::move(outcome));
  } else {
    finish_failed(std::move(task), outcome);
  }
}

void Dispatcher::stop_run(const RowTask& task, RowFailure failure, const std::string& message) {
  const std::string& provider = provider_name_of(task.step);
  if (failure == RowFailure::auth_refused) {
    stop_.stop(Error(
        ErrorCode::key_refused,
        fmt::format("{} refuses the API key: {}", provider, message),
        "give another key (batchllm keys set PROVIDER, its environment variable, --key-file), "
        "then resume; batchllm keys list shows where it came from"));
  } else {
    stop_.stop(Error(ErrorCode::quota_exhausted,
                     fmt::format("the quota at {} is used up: {}", provider, message),
                     "add credit or raise the limit at the provider, then resume"));
  }
}

}  // namespace batchllm
