// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm {

// What became of an answer that was looked at for its form.
struct CheckedAnswer {
  bool is_valid = true;
  std::string_view text;  // what is kept of it; valid until the next check
  std::string problem;    // why it is not valid, for people
  std::string request;    // what the model is told when it is asked again
};

// Looks at the answers of a job for the form that was asked for. Network thread.
class AnswerCheck {
 public:
  virtual ~AnswerCheck() = default;
  virtual CheckedAnswer check(std::string_view answer) = 0;
};

}  // namespace batchllm
