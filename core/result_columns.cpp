// SPDX-License-Identifier: Apache-2.0
#include "core/result_columns.h"

#include "core/error.h"
#include "core/float_vector.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

// "bad_request: HTTP 400: …", the reason of a failed row in one text.
void append_error(std::string& out, const Outcome& outcome) {
  out += failure_name(outcome.failure);
  if (!outcome.message.empty()) {
    out += ": ";
    out += outcome.message;
  }
}

// Null when the step has none.
const StepOutcome* find_answer(const Outcome& outcome, std::uint32_t step) {
  const auto found =
      std::find_if(outcome.steps.begin(), outcome.steps.end(), [step](const StepOutcome& one) {
        return one.step == step && one.failure == RowFailure::none;
      });
  return found == outcome.steps.end() ? nullptr : &*found;
}

std::string usd_decimal(std::int64_t micro_usd) {
  return fmt::format("{}.{:06}", micro_usd / 1'000'000, micro_usd % 1'000'000);
}

}  // namespace

ResultColumns::ResultColumns(ResultColumnSettings settings,
                             bool with_error,
                             const std::vector<std::string>& input_columns)
    : settings_(std::move(settings)),
      with_error_(settings_.include_meta || with_error) {
  if (settings_.compares) {
    name_steps(input_columns);
    add_name("agrees", input_columns);
  } else {
    if (settings_.form != nullptr && !settings_.form->columns().empty()) {
      fields_.emplace(*settings_.form);
      names_ = settings_.form->columns();
    } else {
      names_.push_back(settings_.output_column);
    }
    name_steps(input_columns);
  }
  if (settings_.include_meta) {
    add_name("status", input_columns);
  }
  if (with_error_) {
    add_name("error", input_columns);
  }
  if (settings_.include_meta) {
    for (const char* name :
         {"input_tokens", "output_tokens", "cost_usd", "latency_ms", "attempts"}) {
      add_name(name, input_columns);
    }
  }
  texts_.resize(8);
}

void ResultColumns::add_name(std::string name, const std::vector<std::string>& input_columns) {
  if (std::find(input_columns.begin(), input_columns.end(), name) != input_columns.end()) {
    name = settings_.output_column + "_" + name;
  }
  names_.push_back(std::move(name));
}

void ResultColumns::name_steps(const std::vector<std::string>& input_columns) {
  for (const StepColumns& step : settings_.steps) {
    StepCells& cells = steps_.emplace_back(StepCells{step.step, std::nullopt, std::nullopt});
    if (settings_.compares) {
      cells.comparable.emplace(step.form);
    }
    if (step.form == nullptr || step.form->columns().empty()) {
      add_name(step.name, input_columns);
      continue;
    }
    cells.fields.emplace(*step.form);
    for (const std::string& field : step.form->columns()) {
      add_name(fmt::format("{}.{}", step.name, field), input_columns);
    }
  }
}

std::string_view ResultColumns::number(std::string text) {
  std::string& kept = texts_[used_texts_++];
  kept = std::move(text);
  return kept;
}

NewCell ResultColumns::answer_cell(std::string_view output) {
  if (settings_.answers == AnswerKind::text) {
    return {output, CellKind::text};
  }
  if (!read_vector(output, vector_, vector_bytes_)) {
    throw Error(ErrorCode::job_corrupt, "a vector in the ledger cannot be read");
  }
  vector_json_.clear();
  append_vector_json(vector_json_, vector_);
  return {vector_json_, CellKind::json};
}

void ResultColumns::add_step_cells(const Outcome& outcome) {
  for (StepCells& step : steps_) {
    const StepOutcome* answered = find_answer(outcome, step.step);
    const std::string_view text =
        answered == nullptr ? std::string_view{} : std::string_view(answered->output);
    if (step.fields) {
      const auto& cells = step.fields->read(text);
      cells_.insert(cells_.end(), cells.begin(), cells.end());
    } else {
      cells_.push_back({text, CellKind::text});
    }
  }
}

NewCell ResultColumns::agreement_cell(const Outcome& outcome) {
  std::optional<std::string> first;
  bool agrees = true;
  for (StepCells& step : steps_) {
    const StepOutcome* answered = find_answer(outcome, step.step);
    if (answered == nullptr) {
      return {};
    }
    std::string answer = step.comparable->of(answered->output);
    if (!first) {
      first = std::move(answer);
    } else {
      agrees = agrees && answer == *first;
    }
  }
  return {agrees ? "true" : "false", CellKind::json};
}

const std::vector<NewCell>& ResultColumns::cells(const Outcome& outcome) {
  cells_.clear();
  used_texts_ = 0;
  const bool ok = outcome.status == RowStatus::ok;
  if (fields_) {
    const auto& cells = fields_->read(ok ? std::string_view(outcome.output) : std::string_view{});
    cells_.assign(cells.begin(), cells.end());
  } else if (!settings_.compares) {
    cells_.push_back(ok ? answer_cell(outcome.output) : NewCell{});
  }
  add_step_cells(outcome);
  if (settings_.compares) {
    cells_.push_back(agreement_cell(outcome));
  }
  if (settings_.include_meta) {
    cells_.push_back({status_name(outcome.status), CellKind::text});
  }
  if (with_error_) {
    error_.clear();
    if (!ok) {
      append_error(error_, outcome);
    }
    cells_.push_back({ok ? std::string_view{} : std::string_view(error_), CellKind::text});
  }
  if (settings_.include_meta) {
    const auto add = [this](std::string text) {
      cells_.push_back({number(std::move(text)), CellKind::json});
    };
    add(std::to_string(outcome.usage.input_tokens));
    add(std::to_string(outcome.usage.output_tokens));
    if (outcome.cost_micro_usd) {
      add(usd_decimal(*outcome.cost_micro_usd));
    } else {
      cells_.push_back({});
    }
    add(std::to_string(outcome.latency_ms));
    add(std::to_string(outcome.attempts));
  }
  return cells_;
}

}  // namespace batchllm
