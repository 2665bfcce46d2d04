// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_form.h"
#include "core/comparable_answers.h"
#include "core/outcome.h"
#include "core/row_sink.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// What an answer is to a result.
enum class AnswerKind : std::uint8_t {
  text,    // written as the ledger has it
  vector,  // of numbers (core/float_vector.h): written as a JSON array of them
};

// The answer of a step as columns of a result.
struct StepColumns {
  std::uint32_t step = 0;
  std::string name;                        // of the column; with fields: NAME.FIELD
  std::shared_ptr<const AnswerForm> form;  // of its answers; null: any
};

struct ResultColumnSettings {
  std::string output_column = "output";
  // Its columns stand in place of the output column; null or without columns: they do not.
  std::shared_ptr<const AnswerForm> form;
  AnswerKind answers = AnswerKind::text;  // of the output column
  bool include_meta = false;
  std::vector<StepColumns> steps;  // whose answers are there besides
  // They are there instead of the row's answer, and behind them whether they are all the same:
  // true, false, null where one is missing.
  bool compares = false;
};

// What the job adds to a row: the output, and on request status, error, tokens, cost, latency and
// attempts. A name that the input has already gets the output column's name before it
// ("label_status").
class ResultColumns {
 public:
  // `with_error`: a column with the reason of failed rows; contained in `include_meta`.
  ResultColumns(ResultColumnSettings settings,
                bool with_error,
                const std::vector<std::string>& input_columns);

  const std::vector<std::string>& names() const noexcept { return names_; }

  // The values for one row; views into `outcome` and this object, valid until the next call.
  const std::vector<NewCell>& cells(const Outcome& outcome);

 private:
  struct StepCells {
    std::uint32_t step;
    std::optional<AnswerCells> fields;
    std::optional<ComparableAnswers> comparable;
  };

  void name_steps(const std::vector<std::string>& input_columns);
  void add_name(std::string name, const std::vector<std::string>& input_columns);
  void add_step_cells(const Outcome& outcome);
  NewCell agreement_cell(const Outcome& outcome);
  NewCell answer_cell(std::string_view output);
  std::string_view number(std::string text);

  ResultColumnSettings settings_;
  std::optional<AnswerCells> fields_;
  std::vector<StepCells> steps_;
  bool with_error_;
  std::vector<std::string> names_;
  std::vector<NewCell> cells_;
  std::vector<std::string> texts_;
  std::size_t used_texts_ = 0;
  std::string error_;
  std::vector<float> vector_;
  std::string vector_bytes_;
  std::string vector_json_;
};

}  // namespace batchllm
