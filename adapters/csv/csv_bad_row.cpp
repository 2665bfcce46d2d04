// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_bad_row.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

// Length of the well-formed character at the beginning of `text`, 0 when there is none.
std::size_t leading_character_bytes(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length) {
    if (is_utf8(text.substr(0, length))) {
      return length;
    }
  }
  return 0;
}

// Where `text`, which is not UTF-8, stops being it.
std::size_t first_bad_byte(std::string_view text) {
  // What lies before an ASCII byte can be judged on its own: whole pieces are passed quickly.
  constexpr std::size_t k_piece = 4096;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = std::min(text.size(), at + k_piece);
    while (end < text.size() && static_cast<unsigned char>(text[end]) >= 0x80) {
      ++end;
    }
    if (!is_utf8(text.substr(at, end - at))) {
      break;
    }
    at = end;
  }
  while (at < text.size()) {
    const std::size_t length = leading_character_bytes(text.substr(at));
    if (length == 0) {
      return at;
    }
    at += length;
  }
  return at;
}

}  // namespace

std::string csv_not_utf8_message(std::string_view raw, std::uint64_t offset) {
  const std::size_t bad = first_bad_byte(raw);
  return fmt::format(
      "byte {} of the record (byte {} of the input) is 0x{:02X}, which is not UTF-8; if "
      "the file has another encoding, name it with --encoding (latin1, windows-1252, …)",
      bad + 1,
      offset + bad,
      static_cast<unsigned>(static_cast<unsigned char>(raw[bad])));
}

std::string csv_runaway_message(const CsvRunaway& runaway, std::uint64_t line, std::size_t limit) {
  if (runaway.in_quotes) {
    return fmt::format(
        "the quote opened on line {} is not closed {}; reading went on behind that line",
        line + runaway.quote_line,
        runaway.at_end_of_input ? "before the end of the input"
                                : fmt::format("within --max-row-bytes ({})", bytes_text(limit)));
  }
  return fmt::format("the row is longer than --max-row-bytes ({})", bytes_text(limit));
}

}  // namespace batchllm
