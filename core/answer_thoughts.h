// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm {

struct AnswerParts {
  std::string thoughts;  // without their tags; several blocks are joined by an empty line
  std::string answer;
};

// Takes what a model thought aloud off its answer: blocks in <think> or <thinking> whose opening
// tag begins the text or a line. When the text begins with one that is never closed, it was cut off
// and all of it is thoughts. A </think> that nothing opened, at the end of a line or of the text,
// closes what the text begins with (some servers put the opening tag into the prompt). An answer
// without thoughts stays as it is; one with thoughts loses the white space at its ends.
AnswerParts split_thoughts(std::string_view text);

}  // namespace batchllm
