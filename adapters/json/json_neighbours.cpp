// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_neighbours.h"

namespace batchllm::json {
namespace {

bool is_gap(char byte) noexcept {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t' || byte == ',';
}

// "{" and the first member's name without the white space between them; empty when there is none
// within reach.
std::string row_beginning(std::string_view row) {
  const std::string_view head = row.substr(0, Neighbours::k_reach);
  const auto quote = head.find_first_not_of(" \t\r\n", 1);
  if (!head.starts_with('{') || quote == std::string_view::npos || head[quote] != '"') {
    return {};
  }
  const auto end = head.find('"', quote + 1);
  return end == std::string_view::npos ? std::string()
                                       : "{" + std::string(head.substr(quote, end + 1 - quote));
}

}  // namespace

void Neighbours::learn(std::string_view row, std::string_view gap) {
  if (beginning_.empty()) {
    beginning_ = row_beginning(row);
  } else if (!knows_gap_ && gap.size() < k_reach) {
    gap_ = gap;
    knows_gap_ = true;
  }
}

std::optional<std::size_t> Neighbours::find(std::string_view text, std::size_t from) const {
  for (auto at = text.find('{', from); at != std::string_view::npos; at = text.find('{', at + 1)) {
    if (begins_row(text, at)) {
      return at;
    }
  }
  return std::nullopt;
}

bool Neighbours::begins_row(std::string_view text, std::size_t at) const {
  std::size_t before = at;
  while (before > 0 && at - before < k_reach && is_gap(text[before - 1])) {
    --before;
  }
  const std::string_view gap = text.substr(before, at - before);
  const bool on_own_line = gap.find('\n') != std::string_view::npos;
  const bool behind_object = before > 0 && text[before - 1] == '}';
  if (!beginning_.empty() && row_beginning(text.substr(at, k_reach)) != beginning_) {
    return false;
  }
  if (knows_gap_) {
    return gap == gap_ && (on_own_line || behind_object);
  }
  return on_own_line;
}

}  // namespace batchllm::json
