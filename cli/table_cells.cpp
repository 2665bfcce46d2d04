// SPDX-License-Identifier: Apache-2.0
#include "cli/table_cells.h"

#include "core/text.h"

#include <fmt/format.h>

namespace batchllm {

std::string filled_left(const std::string& text, std::size_t width) {
  const std::size_t length = character_count(text);
  return std::string(width > length ? width - length : 0, ' ') + text;
}

std::string filled_right(std::string text, std::size_t width) {
  const std::size_t length = character_count(text);
  return text.append(width > length ? width - length : 0, ' ');
}

void append_table_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += "\n" + line;
}

std::string score_text(const std::optional<double>& score) {
  return score ? fmt::format("{:.3f}", *score) : "-";
}

std::string share_text(const std::optional<double>& share) {
  return share ? fmt::format("{:.1f} %", *share * 100) : "-";
}

}  // namespace batchllm
