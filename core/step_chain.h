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

// The steps that a row goes through one after the other: each may read the row's columns and the
// answers before it. A step whose encoder does not match the row is left out. Network thread, but
// for the constructor.
class StepChain {
 public:
  // Two steps at least. `row_columns` says in which order the cells stand that are packed in
  // RowTask::record; encoders are bound here.
  StepChain(std::vector<ChainStep> steps, const std::vector<std::string>& row_columns);

  const ChainStep& at(std::uint32_t step) const { return steps_[step]; }

  // Rows can be answered though nothing is asked in that lane.
  bool can_do_without(std::size_t lane) const noexcept;

  // Every step has a price.
  bool price_is_known() const noexcept;

  // Keeps `answer`, in its form, as that of the step at which the row is, and encodes the next one
  // that asks it. False: there is none, and the answer is the row's.
  bool go_on(RowTask& task, std::string_view answer);

 private:
  void unpack(const RowTask& task);
  void add_answer(const RowTask& task, std::size_t step);

  std::vector<ChainStep> steps_;
  std::vector<std::optional<AnswerCells>> fields_;  // of each step that has some
  RowBatch batch_;                                  // the row, and behind it the answers
};

}  // namespace batchllm
