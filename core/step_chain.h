// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_check.h"
#include "core/answer_form.h"
#include "core/price_table.h"
#include "core/provider.h"
#include "core/row_batch.h"
#include "core/row_encoder.h"
#include "core/row_task.h"
#include "core/step_names.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// One of the steps of a row, as it is asked. What it points to outlives the chain.
struct ChainStep {
  StepNames names;
  Provider* provider = nullptr;
  RowEncoder* encoder = nullptr;     // null for the first: the reader thread encodes that one
  AnswerCheck* check = nullptr;      // null: any answer will do
  const AnswerForm* form = nullptr;  // the same
  std::optional<Price> price;        // nullopt: not known
  std::int64_t worst_case_output_tokens = 0;
  std::size_t lane = 0;  // where it is asked: a lane of the run, an endpoint of its transport
  bool may_be_left_out = false;  // rows can do without it
  std::string provider_name;     // for messages
  std::string endpoint;          // the same: its address
};

// How the steps of a row belong together.
enum class StepKind : std::uint8_t {
  chained,   // each may read the answers before it; the row fails with the first that fails
  compared,  // the same question to several models: none knows of the others, each may fail alone
};

// The steps that a row goes through one after the other, what became of each and what comes next. A
// chained step whose encoder does not match the row is left out. Network thread, but for the
// constructor.
class StepChain {
 public:
  // Two steps at least. `row_columns` says in which order the cells stand that are packed in
  // RowTask::record; encoders are bound here. `keeps_answers`: the row's outcome has those of its
  // steps; of compared ones always.
  StepChain(std::vector<ChainStep> steps,
            const std::vector<std::string>& row_columns,
            StepKind kind = StepKind::chained,
            bool keeps_answers = false);

  const ChainStep& at(std::uint32_t step) const { return steps_[step]; }

  // Rows can be answered though nothing is asked in that lane.
  bool can_do_without(std::size_t lane) const noexcept;

  bool compares() const noexcept { return kind_ == StepKind::compared; }

  // Every step has a price.
  bool price_is_known() const noexcept;

  // Keeps what one of the row's steps has spent and, where it is asked no more, what became of it.
  void note(RowTask& task, const StepAnswer& answer) const;

  // Encodes the step that the row is to be asked next. False: there is none.
  bool go_on(RowTask& task);

  // True when a step of the row has failed for good.
  static bool has_failed_step(const RowTask& task) noexcept;

  // Adds what became of the steps to the outcome of a row that does not go on. Models that are
  // compared have no answer of the row: it is ok when each has answered, else it failed as the
  // first of them did that failed.
  void complete(RowTask& task, Outcome& outcome) const;

 private:
  bool encode(RowTask& task, std::size_t step);
  void unpack(const RowTask& task);
  void add_answer(const RowTask& task, std::size_t step);
  void judge_compared(Outcome& outcome) const;

  std::vector<ChainStep> steps_;
  StepKind kind_;
  bool keeps_answers_;
  std::vector<std::optional<AnswerCells>> fields_;  // of each step that has some
  RowBatch batch_;                                  // the row, and behind it the answers
};

}  // namespace batchllm
