// SPDX-License-Identifier: Apache-2.0
#include "core/step_chain.h"

#include "core/packed_row.h"

#include <algorithm>
#include <span>
#include <utility>

namespace batchllm {

StepChain::StepChain(std::vector<ChainStep> steps, const std::vector<std::string>& row_columns)
    : steps_(std::move(steps)) {
  std::vector<std::string> cells = row_columns;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const ChainStep& step = steps_[i];
    const bool has_fields = step.form != nullptr && !step.names.fields.empty();
    fields_.push_back(has_fields ? std::optional<AnswerCells>(*step.form) : std::nullopt);
    const auto added = step_columns(step.names, i);
    cells.insert(cells.end(), added.begin(), added.end());
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

bool StepChain::go_on(RowTask& task, std::string_view answer) {
  const std::size_t asked = task.step;
  if (asked + 1 == steps_.size()) {
    return false;
  }
  task.step_answers.resize(asked + 1);  // null for those that were left out
  task.step_answers[asked] = std::string(answer);
  unpack(task);
  for (std::size_t next = asked + 1; next < steps_.size(); ++next) {
    if (steps_[next].encoder->matches(batch_, 0)) {
      steps_[next].encoder->encode(batch_, 0, task);
      task.step = static_cast<std::uint32_t>(next);
      task.reasked = 0;
      return true;
    }
  }
  return false;
}

void StepChain::unpack(const RowTask& task) {
  unpack_row(task.record, task.place, batch_);
  batch_.kinds.resize(batch_.column_count, CellKind::text);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    add_answer(task, i);
  }
  batch_.column_count = batch_.cells.size();
}

// The cells that step_columns names, null without an answer.
void StepChain::add_answer(const RowTask& task, std::size_t step) {
  const bool has_number = steps_[step].names.name != std::to_string(step + 1);
  const bool is_answered = step < task.step_answers.size() && task.step_answers[step];
  const std::string_view answer =
      is_answered ? std::string_view(*task.step_answers[step]) : std::string_view();
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
