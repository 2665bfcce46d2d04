// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_form.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// Makes of stored answers what is compared with another: without case and marks, as
// comparable_answer does; of answers with fields each field by itself. Not thread-safe.
class ComparableAnswers {
 public:
  // `form`: whose fields are compared; null or without any: answers are compared as a whole.
  explicit ComparableAnswers(std::shared_ptr<const AnswerForm> form);

  std::string of(std::string_view stored);

 private:
  std::shared_ptr<const AnswerForm> form_;
  std::optional<AnswerCells> cells_;
};

}  // namespace batchllm
