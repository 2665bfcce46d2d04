// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_check.h"
#include "adapters/json/json_framer.h"
#include "adapters/json/json_scan.h"
#include "core/text.h"

#include <algorithm>

namespace batchllm::json {
namespace {

// True when a first value ends on its line and another one begins behind it.
bool values_share_a_line(std::string_view line) {
  BracketScan scan;
  const auto end = scan_brackets(line, scan);
  if (!end) {
    return false;
  }
  const std::string_view behind = trim(line.substr(*end));
  return !behind.empty() && (behind.front() == '{' || behind.front() == '[') &&
         !check_json(line.substr(0, *end)).has_value();
}

}  // namespace

std::string_view framing_name(Framing framing) noexcept {
  switch (framing) {
    case Framing::lines:
      return "one value a line";
    case Framing::array:
      return "array";
    case Framing::concatenated:
      break;
  }
  return "values one after another";
}

Framing detect_framing(std::string_view head, bool whole) {
  constexpr std::size_t k_lines_looked_at = 100;
  const auto first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return Framing::lines;
  }
  std::string_view rest = head.substr(first);
  std::size_t seen = 0;
  std::size_t objects = 0;
  bool first_is_json = false;
  bool second_is_array = false;
  while (!rest.empty() && seen < k_lines_looked_at) {
    const auto newline = rest.find('\n');
    const bool cut_off = newline == std::string_view::npos && !whole;  // by the end of the head
    if (cut_off && seen != 0) {
      break;
    }
    const std::string_view line = trim(rest.substr(0, newline));
    rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
    if (line.empty()) {
      continue;
    }
    if (seen == 0) {
      if (line.front() != '[' && values_share_a_line(line)) {
        return Framing::concatenated;
      }
      first_is_json = !check_json(line).has_value();
    }
    second_is_array = second_is_array || (seen == 1 && line.front() == '[');
    if (line.front() == '{' && (cut_off || !check_json(line))) {
      ++objects;
    }
    ++seen;
  }
  if (head[first] == '[') {
    // Lines that are arrays each are bad rows each; one array over lines, or alone, holds the rows.
    return first_is_json && second_is_array ? Framing::lines : Framing::array;
  }
  // A line that is broken must not turn a file of lines into something else.
  return first_is_json || objects * 2 > seen ? Framing::lines : Framing::concatenated;
}

}  // namespace batchllm::json
