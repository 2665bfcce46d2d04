// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_mistake.h"
#include "core/pattern.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// Which part of an answer is the result.
//
//   json        its JSON value, see find_json
//   code        the content of its first fenced code block
//   tag:NAME    what stands between the last <NAME> and </NAME>
//   regex:…     the first group of the first match (Perl's syntax), or the match when there is none
//
// Immutable; thread-safe.
class AnswerExtraction {
 public:
  // Throws Error(usage), with the nearest word as a hint.
  static AnswerExtraction compile(std::string_view option);

  // A view into `answer`, or why it does not have that part.
  Judged<std::string_view> apply(std::string_view answer) const;

 private:
  enum class Kind : std::uint8_t { json, code, tag, pattern };

  explicit AnswerExtraction(Kind kind) : kind_(kind) {}

  Judged<std::string_view> tagged_part(std::string_view answer) const;
  Judged<std::string_view> matched_part(std::string_view answer) const;

  Kind kind_;
  std::string tag_;
  std::optional<Pattern> pattern_;
};

// Without white space and paired quotes (straight, curly, angled, backticks) around it, as often as
// they stand there. Quotes that the text has inside too are its own: `"yes" and "no"` stays.
std::string_view strip_answer(std::string_view answer) noexcept;

}  // namespace batchllm
