// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_form.h"
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

// What the job adds to a row: the output, and on request status, error, tokens, cost, latency and
// attempts. A name that the input has already gets the output column's name before it
// ("label_status").
class ResultColumns {
 public:
  // `form`: its columns stand in place of the output column; null or without columns: they do not.
  // `with_error`: a column with the reason of failed rows; contained in `with_meta`.
  // `kind`: of the output column's answers.
  ResultColumns(std::string output_column,
                std::shared_ptr<const AnswerForm> form,
                bool with_meta,
                bool with_error,
                const std::vector<std::string>& input_columns,
                AnswerKind kind = AnswerKind::text);

  const std::vector<std::string>& names() const noexcept { return names_; }

  // The values for one row; views into `outcome` and this object, valid until the next call.
  const std::vector<NewCell>& cells(const Outcome& outcome);

 private:
  NewCell answer_cell(std::string_view output);
  std::string_view number(std::string text);

  std::shared_ptr<const AnswerForm> form_;
  std::optional<AnswerCells> fields_;
  AnswerKind kind_;
  bool with_meta_;
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
