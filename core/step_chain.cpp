// SPDX-License-Identifier: Apache-2.0
#include "core/step_chain.h"

#include "core/packed_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace batchllm {
namespace {

void add_usage(StepOutcome& step, const StepAnswer& answer) {
  step.usage.input_tokens += answer.usage.input_tokens;
  step.usage.output_tokens += answer.usage.output_tokens;
  step.usage.cached_tokens += answer.usage.cached_tokens;
  if (answer.cost_micro_usd) {
    step.cost_micro_usd = step.cost_micro_usd.value_or(0) + *answer.cost_micro_usd;
  }
}

}  // namespace

StepChain::StepChain(std::vector<ChainStep> steps,
                     const std::vector<std::string>& row_columns,
                     StepKind kind,
                     bool keeps_answers)
    : steps_(std::move(steps)),
      kind_(kind),
      keeps_answers_(keeps_answers || kind == StepKind::compared) {
  std::vector<std::string> cells = row_columns;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const ChainStep& step = steps_[i];
    const bool has_fields = step.form != nullptr && !step.names.fields.empty();
    fields_.push_back(has_fields ? std::optional<AnswerCells>(*step.form) : std::nullopt);
    if (!compares()) {
      const auto added = step_columns(step.names, i);
      cells.insert(cells.end(), added.begin(), added.end());
    }
  }
  for (const ChainStep& step : steps_) {
    if (step.encoder != nullptr) {
      step.encoder->bind(cells);
    }
  }
}

bool StepChain::price_is_known() const noexcept {
  return std::all_of(
      steps_.begin(), steps_.end(), [](const ChainStep& step) { return step.price.has_value(); });
}

bool StepChain::can_do_without(std::size_t lane) const noexcept {
  return std::all_of(steps_.begin(), steps_.end(), [lane](const ChainStep& step) {
    return step.lane != lane || step.may_be_left_out;
  });
}

void StepChain::note(RowTask& task, const StepAnswer& answer) const {
  if (answer.step >= steps_.size()) {
    return;  // a ledger's word alone
  }
  task.steps.resize(steps_.size());
  RowStep& step = task.steps[answer.step];
  add_usage(step.outcome, answer);
  if (answer.failure != RowFailure::none && !answer.is_final) {
    return;
  }
  step.is_done = true;
  step.outcome.step = answer.step;
  step.outcome.failure = answer.failure;
  step.outcome.output = answer.text;
  step.outcome.message = answer.message;
  step.outcome.latency_ms = answer.latency_ms;
}

bool StepChain::go_on(RowTask& task) {
  task.steps.resize(steps_.size());
  unpack(task);
  for (std::size_t next = compares() ? 0 : task.step + 1; next < steps_.size(); ++next) {
    if (!task.steps[next].is_done && encode(task, next)) {
      return true;
    }
  }
  return false;
}

// False when the step is not asked.
bool StepChain::encode(RowTask& task, std::size_t step) {
  RowEncoder* encoder = steps_[step].encoder;
  const auto number = static_cast<std::uint32_t>(step);
  // What the first is asked, the reader thread has encoded.
  if (encoder != nullptr) {
    if (!encoder->matches(batch_, 0)) {
      return false;
    }
    encoder->encode(batch_, 0, task);
    if (task.known_failure != RowFailure::none) {
      StepAnswer failed;
      failed.step = number;
      failed.failure = std::exchange(task.known_failure, RowFailure::none);
      failed.is_final = true;
      failed.message = std::move(task.problem);
      note(task, failed);
      return false;
    }
  }
  task.step = number;
  task.reasked = 0;
  return true;
}

bool StepChain::has_failed_step(const RowTask& task) noexcept {
  return std::any_of(task.steps.begin(), task.steps.end(), [](const RowStep& step) {
    return step.is_done && step.outcome.failure != RowFailure::none;
  });
}

void StepChain::complete(RowTask& task, Outcome& outcome) const {
  if (!keeps_answers_) {
    return;
  }
  for (RowStep& step : task.steps) {
    if (step.is_done) {
      outcome.steps.push_back(std::move(step.outcome));
    }
  }
  task.steps.clear();
  if (compares()) {
    judge_compared(outcome);
  }
}

void StepChain::judge_compared(Outcome& outcome) const {
  outcome.output.clear();
  if (outcome.failure == RowFailure::in_doubt) {
    return;  // a model is not asked that may have answered
  }
  outcome.status = RowStatus::ok;
  outcome.failure = RowFailure::none;
  outcome.message.clear();
  for (const StepOutcome& step : outcome.steps) {
    if (step.failure == RowFailure::none) {
      continue;
    }
    const std::string& model = steps_[step.step].names.name;
    if (outcome.failure == RowFailure::none) {
      outcome.status = RowStatus::failed;
      outcome.failure = step.failure;
      outcome.message = fmt::format("{}: {}", model, step.message);
    } else {
      outcome.message +=
          fmt::format("; {}: {}: {}", model, failure_name(step.failure), step.message);
    }
  }
}

void StepChain::unpack(const RowTask& task) {
  unpack_row(task.record, task.place, batch_);
  batch_.kinds.resize(batch_.column_count, CellKind::text);
  for (std::size_t i = 0; i < steps_.size() && !compares(); ++i) {
    add_answer(task, i);
  }
  batch_.column_count = batch_.cells.size();
}

// The cells that step_columns names, null without an answer.
void StepChain::add_answer(const RowTask& task, std::size_t step) {
  const bool has_number = steps_[step].names.name != std::to_string(step + 1);
  const std::string_view answer = task.steps[step].is_done
                                      ? std::string_view(task.steps[step].outcome.output)
                                      : std::string_view();
  const auto fields = fields_[step] ? std::span<const NewCell>(fields_[step]->read(answer))
                                    : std::span<const NewCell>();
  for (int i = 0; i < (has_number ? 2 : 1); ++i) {
    batch_.cells.push_back(answer);
    batch_.kinds.push_back(CellKind::text);
    for (const NewCell& cell : fields) {
      batch_.cells.push_back(cell.text);
      batch_.kinds.push_back(cell.kind);
    }
  }
}

}  // namespace batchllm
