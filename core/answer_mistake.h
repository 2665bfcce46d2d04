// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <string>
#include <utility>

namespace batchllm {

// Why an answer is not in the form that was asked for, said twice.
struct AnswerMistake {
  std::string reason;  // for people, one line: "the answer has no code block"
  std::string advice;  // for the model that is asked again: "Put the code into a code block."
};

// A part or a form of an answer, or what is wrong with it: never a wrong value.
template <typename T>
class [[nodiscard]] Judged : public expected_ns::expected<T, AnswerMistake> {
 public:
  using Base = expected_ns::expected<T, AnswerMistake>;
  using Base::Base;

  Judged(T value) : Base(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  Judged(AnswerMistake mistake)  // NOLINT(google-explicit-constructor)
      : Base(expected_ns::unexpected<AnswerMistake>(std::move(mistake))) {}
};

}  // namespace batchllm
