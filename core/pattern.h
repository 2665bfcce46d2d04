// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// Which regular expressions these are.
enum class PatternDialect : std::uint8_t {
  ecma,  // ECMA-262 with the u flag, as JSON Schema asks for; see ecma_pattern.h
  perl,  // PCRE2's own
};

// A compiled regular expression over UTF-8. A search has bounds for its steps and its memory, so
// that no pair of expression and text holds a thread up; at the bound it is undecided. Thread-safe.
class Pattern {
 public:
  enum class Verdict : std::uint8_t { match, no_match, undecided };

  // Where the first match is: views into the text that was searched.
  struct Match {
    Verdict verdict = Verdict::no_match;
    std::string_view whole;
    std::optional<std::string_view> first_group;  // nothing when there is none or it took no part
  };

  // The failure says what is wrong and at which character: "character 4: missing )".
  static Result<Pattern> compile(std::string_view text, PatternDialect dialect);

  // Anywhere in `text`, which is undecided too when it is not UTF-8.
  Match find(std::string_view text) const noexcept;

  Verdict search(std::string_view text) const noexcept { return find(text).verdict; }

  bool has_groups() const noexcept { return has_groups_; }

  // As it was written.
  const std::string& text() const noexcept { return text_; }

 private:
  struct FreeCode {
    void operator()(void* code) const noexcept;
  };

  Pattern(void* code, std::string_view text);

  std::unique_ptr<void, FreeCode> code_;
  std::string text_;
  bool has_groups_ = false;
};

}  // namespace batchllm
