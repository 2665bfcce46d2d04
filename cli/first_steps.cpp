// SPDX-License-Identifier: Apache-2.0
#include "cli/first_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/text.h"

namespace batchllm {
namespace {

// For a POSIX shell: as it is when nothing in it needs quotes.
std::string shell_word(const std::string& text) {
  constexpr std::string_view k_plain = "-_./,:@%+=";
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || k_plain.find(letter) != std::string_view::npos;
  });
  if (plain) {
    return text;
  }
  std::string quoted = "'";
  for (const char letter : text) {
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  }
  return quoted + "'";
}

}  // namespace

std::string example_run_command(const std::string& path, RowSource& source) {
  const std::vector<std::string> columns = source.columns();
  std::vector<std::size_t> bytes(columns.size());
  source.select(columns);
  RowBatch batch;
  if (source.next_batch(batch)) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      const auto cells = batch.row_cells(row);
      for (std::size_t column = 0; column < cells.size(); ++column) {
        bytes[column] += cells[column].size();
      }
    }
  }
  const auto longest = std::max_element(bytes.begin(), bytes.end());
  const std::string column =
      columns.empty() ? "text" : columns[static_cast<std::size_t>(longest - bytes.begin())];
  const std::string prompt = fmt::format("Summarize in one sentence: {{{}}}", printable(column));
  return fmt::format("batchllm run {} --model openai/gpt-4o-mini --prompt {}", shell_word(printable(path)),
                     shell_word(prompt));
}

}  // namespace batchllm
