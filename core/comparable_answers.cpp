// SPDX-License-Identifier: Apache-2.0
#include "core/comparable_answers.h"

#include "core/answer_choices.h"

#include <utility>

namespace batchllm {

ComparableAnswers::ComparableAnswers(std::shared_ptr<const AnswerForm> form)
    : form_(std::move(form)) {
  if (form_ != nullptr && !form_->columns().empty()) {
    cells_.emplace(*form_);
  }
}

std::string ComparableAnswers::of(std::string_view stored) {
  if (!cells_) {
    return comparable_answer(stored);
  }
  std::string all;
  for (const NewCell& cell : cells_->read(stored)) {
    // What is not there is not what is empty; no comparable text has a line feed at its end.
    all += cell.text.data() == nullptr ? "\n\n" : comparable_answer(cell.text) + "\n";
  }
  return all;
}

}  // namespace batchllm
