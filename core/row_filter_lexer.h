// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace batchllm {

struct FilterToken {
  enum class Kind { end, word, name, number, text, symbol };

  Kind kind = Kind::end;
  std::string text;       // a text without its quotes, a name without its backticks or braces
  std::size_t begin = 0;  // byte in the expression
};

// Cuts a `--where` expression into words, texts, numbers and symbols.
class FilterLexer {
 public:
  // `option` is what messages begin with.
  FilterLexer(std::string_view expression, std::string_view option)
      : expression_(expression),
        option_(option) {}

  FilterToken next();

  // Throws Error(usage) that shows the expression with a caret under byte `at`.
  [[noreturn]] void refuse(std::size_t at, std::string_view what, std::string hint) const;

  // The expression with a caret under byte `at`, as two lines to put behind a message.
  std::string marked(std::size_t at) const;

 private:
  FilterToken quoted_text(char quote);
  FilterToken quoted_name(char close);
  FilterToken symbol();

  std::string_view expression_;
  std::string_view option_;
  std::size_t at_ = 0;
};

}  // namespace batchllm
