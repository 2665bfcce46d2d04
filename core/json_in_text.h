// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_mistake.h"

#include <string_view>
#include <vector>

namespace batchllm {

// A fenced code block of Markdown (CommonMark 4.5), however far it is indented.
struct CodeBlock {
  std::string_view language;  // the first word behind the fence, often empty
  std::string_view content;   // without the line break before the closing fence
  std::size_t begin = 0;      // of the opening fence's line in the text
  std::size_t end = 0;        // behind the closing fence's line
  bool is_closed = false;
};

std::vector<CodeBlock> find_code_blocks(std::string_view text);

// The JSON value that an answer gives, amid whatever it says besides. In this order:
//
// 1. The whole text, when it is JSON.
// 2. The last code block that is JSON or means to be (its language is json, or it has none and
//    begins with a bracket). A broken one is a mistake: an earlier one may be an example.
// 3. Outside of code blocks, the last complete object or array that is inside no other. When
//    something after it begins like an object or array and is broken or cut off, that is a mistake:
//    it was the answer. A list of mere numbers in the middle of a line is a footnote, not an array.
//
// A view into `text`.
Judged<std::string_view> find_json(std::string_view text);

}  // namespace batchllm
