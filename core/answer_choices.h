// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_mistake.h"

#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// The few answers that are allowed. An answer is one of them when it is the same text, or the same
// but for upper and lower case, for quotes, brackets, asterisks and white space around it, for
// punctuation behind it, and for what separates its words (space, _ or -): `**Feature request.**`
// is `feature_request`. Text around it makes it none: "The answer is bug" is not `bug`.
//
// Immutable; thread-safe.
class AnswerChoices {
 public:
  // "bug, question, praise"; a choice with a comma stands in quotes, where \" and \\ are a quote
  // and a backslash. Throws Error(usage) naming the column.
  static AnswerChoices compile(std::string_view text);

  // The choice as compile was told it.
  Judged<std::string_view> apply(std::string_view answer) const;

  const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  explicit AnswerChoices(std::vector<std::string> names);

  std::vector<std::string> names_;
  std::vector<std::string> folded_;  // in the order of names_
  std::vector<std::string> plain_;   // likewise; those that are not told apart are empty
};

// What of an answer is compared with another: no upper case, no marks and white space around it,
// words with one space between them, as above. Only marks: those.
std::string comparable_answer(std::string_view answer);

}  // namespace batchllm
