// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace batchllm {

// The cells of tables for people: widths are in characters, what is longer stays as it is.

std::string filled_left(const std::string& text, std::size_t width);
std::string filled_right(std::string text, std::size_t width);

// Puts the line behind `out` and a line feed, without the blanks at its end.
void append_table_line(std::string& out, std::string line);

// "0.912", "-" for none.
std::string score_text(const std::optional<double>& score);

// "91.2 %", "-" for none.
std::string share_text(const std::optional<double>& share);

}  // namespace batchllm
