// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace batchllm {

// A character of UTF-8 and how many bytes it takes. A byte that belongs to no character is U+FFFD
// of one byte; of an empty text, nothing of no bytes.
struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};

CodePoint first_code_point(std::string_view text) noexcept;
CodePoint last_code_point(std::string_view text) noexcept;

// `character` must be a code point.
void append_code_point(std::string& out, char32_t character);

// White_Space of Unicode (PropList.txt), and the zero-width space and byte order mark, which show
// as little.
bool is_white_space(char32_t character) noexcept;

// In lower case, for comparing: Latin, Greek and Cyrillic letters that have one, and the others as
// they are.
char32_t folded_case(char32_t character) noexcept;

// Without white space of any kind at both ends.
std::string_view trim_white_space(std::string_view text) noexcept;

}  // namespace batchllm
