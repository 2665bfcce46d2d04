// SPDX-License-Identifier: Apache-2.0
#include "core/option_help.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

constexpr std::size_t k_width = 100;
constexpr std::size_t k_option_column = 32;
constexpr std::size_t k_widest_choices = 20;

bool shows_choices(const OptionKey& option) {
  return !option.choices.empty() && option.choices.size() <= k_widest_choices;
}

}  // namespace

std::string option_usage(const OptionKey& option) {
  std::string out =
      option.short_flag == '\0' ? std::string("    ") : fmt::format("-{}, ", option.short_flag);
  out += flag_of(option);
  if (!is_flag(option)) {
    out += fmt::format(" {}", shows_choices(option) ? option.choices : option.placeholder);
  }
  return out;
}

std::string option_description(const OptionKey& option) {
  std::string out(option.help);
  if (!option.choices.empty() && !shows_choices(option)) {
    // Many are a list with blanks, so that lines can be broken.
    const bool are_many = option.choices.size() > k_width / 2;
    out += fmt::format(
        " [{}]",
        are_many ? fmt::format("{}", fmt::join(split(option.choices, '|'), ", ")) : option.choices);
  }
  const bool tells_default =
      !is_flag(option) && !option.default_text.empty() && option.default_text != "none";
  return tells_default ? fmt::format("{} [default: {}]", out, option.default_text) : out;
}

std::string heading(std::string_view text, bool color) {
  return color ? fmt::format("\x1b[1m{}\x1b[0m\n", text) : fmt::format("{}\n", text);
}

std::string two_columns(const std::string& left, const std::string& right, std::size_t column) {
  std::string out = fmt::format("  {}", left);
  std::size_t at = out.size();
  if (at + 2 > column) {
    out += '\n';
    at = 0;
  }
  out.append(column - at, ' ');
  at = column;
  bool is_first = true;
  for (const std::string& word : split(right, ' ')) {
    if (!is_first && at + 1 + character_count(word) > k_width) {
      out += '\n';
      out.append(column, ' ');
      at = column;
      is_first = true;
    }
    if (!is_first) {
      out += ' ';
      ++at;
    }
    out += word;
    at += character_count(word);
    is_first = false;
  }
  return out + "\n";
}

std::string option_lines(const std::vector<const OptionKey*>& options) {
  std::string out;
  for (const OptionKey* option : options) {
    out += two_columns(option_usage(*option), option_description(*option), k_option_column);
  }
  return out;
}

std::string grouped_options(const std::vector<const OptionKey*>& options, bool color) {
  std::string out;
  std::vector<std::string_view> groups;
  for (const OptionKey* option : options) {
    if (std::find(groups.begin(), groups.end(), option->group) == groups.end()) {
      groups.push_back(option->group);
    }
  }
  for (const auto group : groups) {
    std::vector<const OptionKey*> members;
    std::copy_if(
        options.begin(), options.end(), std::back_inserter(members), [group](const auto* o) {
          return o->group == group;
        });
    out += "\n" + heading(fmt::format("{}:", group), color) + option_lines(members);
  }
  return out;
}

}  // namespace batchllm
