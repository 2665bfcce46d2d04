// SPDX-License-Identifier: Apache-2.0
#include "core/template_names.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

bool is_digit(char byte) noexcept {
  return byte >= '0' && byte <= '9';
}

bool begins_word(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
         static_cast<unsigned char>(byte) >= 0x80;
}

bool is_word(char byte) noexcept {
  return begins_word(byte) || is_digit(byte) || byte == '-';
}

// Length of "[12]" at the start of `text`, else 0. Six digits are plenty for a prompt.
std::size_t index_length(std::string_view text) noexcept {
  constexpr std::size_t k_most_digits = 6;
  if (!text.starts_with('[')) {
    return 0;
  }
  const auto close = text.find_first_not_of("0123456789", 1);
  if (close == std::string_view::npos || close < 2 || close > k_most_digits + 1 ||
      text[close] != ']') {
    return 0;
  }
  return close + 1;
}

// Is all of `text` steps into JSON? Behind a known column a member may have any name without the
// marks of the template language, spaces inside included.
bool is_inner_path(std::string_view text) noexcept {
  constexpr std::string_view k_marks = ".[]{}|\"'`\n\r\t,:;()=<>";
  while (!text.empty()) {
    if (const std::size_t index = index_length(text); index != 0) {
      text.remove_prefix(index);
      continue;
    }
    if (text.front() != '.') {
      return false;
    }
    text.remove_prefix(1);
    const std::string_view member = text.substr(0, text.find_first_of(k_marks));
    if (member.empty() || member.front() == ' ' || member.back() == ' ') {
      return false;
    }
    text.remove_prefix(member.size());
  }
  return true;
}

bool has_column(const TemplateNames& names, std::string_view name) {
  return std::find(names.columns.begin(), names.columns.end(), name) != names.columns.end();
}

std::vector<std::string> all_names(const TemplateNames& names) {
  std::vector<std::string> all = names.columns;
  for (const auto& variable : names.variables) {
    all.push_back(variable.first);
  }
  return all;
}

}  // namespace

std::optional<NamePath> resolve_path(std::string_view text, const TemplateNames& names) {
  std::optional<NamePath> best;
  const auto consider = [&](const std::string& name, bool is_variable) {
    if (text.starts_with(name) && !name.empty() && (!best || name.size() > best->name.size()) &&
        is_inner_path(text.substr(name.size()))) {
      best = NamePath{name, std::string(text.substr(name.size())), is_variable};
    }
  };
  for (const auto& column : names.columns) {
    consider(column, false);
  }
  for (const auto& variable : names.variables) {
    consider(variable.first, true);
  }
  return best;
}

std::size_t path_length(std::string_view text) noexcept {
  // Steps are called by their numbers, too.
  const bool has_numbers = text.starts_with("steps.");
  const auto word = [&](std::size_t at) {
    const bool begins = at < text.size() &&
                        (begins_word(text[at]) || (has_numbers && at != 0 && is_digit(text[at])));
    if (!begins) {
      return at;
    }
    while (at < text.size() && is_word(text[at])) {
      ++at;
    }
    return at;
  };
  std::size_t end = word(0);
  while (end != 0 && end < text.size()) {
    std::size_t next = end + index_length(text.substr(end));
    if (next == end && text[end] == '.') {
      next = word(end + 1);
      next = next == end + 1 ? end : next;
    }
    if (next == end) {
      break;
    }
    end = next;
  }
  return end;
}

std::string_view path_head(std::string_view path) noexcept {
  return path.substr(0, path.find_first_of(".["));
}

std::optional<std::string> nearest_path(std::string_view path, const TemplateNames& names) {
  const std::vector<std::string> all = all_names(names);
  if (auto whole = nearest_name(path, all)) {
    return whole;
  }
  const std::string_view head = path_head(path);
  if (auto near = nearest_name(head, all)) {
    return *near + std::string(path.substr(head.size()));
  }
  return std::nullopt;
}

std::string missing_column_hint(std::string_view path,
                                const TemplateNames& names,
                                std::string_view open,
                                std::string_view close) {
  std::string hint;
  if (const auto near = nearest_path(path, names)) {
    hint = fmt::format("did you mean {}{}{}? ", open, *near, close);
  }
  if (names.columns.empty()) {
    hint += "the input has no columns";
  } else {
    hint += fmt::format("columns are: {}", name_list(names.columns));
  }
  if (!names.variables.empty()) {
    std::vector<std::string> variables;
    for (const auto& variable : names.variables) {
      variables.push_back(variable.first);
    }
    hint += fmt::format("; variables are: {}", name_list(variables));
  }
  return hint;
}

void check_variables(const TemplateNames& names) {
  for (auto variable = names.variables.begin(); variable != names.variables.end(); ++variable) {
    if (variable->first.empty()) {
      throw Error(ErrorCode::usage, "--var needs a name before \"=\"", "write --var name=value");
    }
    if (has_column(names, variable->first)) {
      throw Error(
          ErrorCode::usage,
          fmt::format("--var {0}: the input has a column named {0}", one_line(variable->first, 60)),
          "give the variable another name");
    }
    if (!is_utf8(variable->second)) {
      throw Error(
          ErrorCode::usage,
          fmt::format("--var {}: the value is not UTF-8 text", one_line(variable->first, 60)),
          "check the locale of the terminal");
    }
    const auto same = [&](const auto& other) { return other.first == variable->first; };
    if (std::any_of(names.variables.begin(), variable, same)) {
      throw Error(ErrorCode::usage,
                  fmt::format("--var {} is given twice", one_line(variable->first, 60)),
                  "keep one of them");
    }
  }
}

}  // namespace batchllm
