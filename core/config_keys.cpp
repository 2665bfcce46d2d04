// SPDX-License-Identifier: Apache-2.0
#include "core/config_keys.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace batchllm {
namespace {

constexpr std::int64_t k_micro = 1'000'000;
constexpr std::size_t k_micro_digits = 6;

bool is_one_of(std::string_view text, std::string_view choices) {
  const auto names = split(choices, '|');
  return std::find(names.begin(), names.end(), text) != names.end();
}

std::string choices_text(std::string_view choices) {
  auto names = split(choices, '|');
  if (names.size() == 1) {
    return names.front();
  }
  std::string last = std::move(names.back());
  names.pop_back();
  return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

std::string why_no_choice(const OptionKey& option, std::string_view text) {
  if (is_one_of(text, option.choices)) {
    return {};
  }
  const auto near = nearest_name(text, split(option.choices, '|'));
  return fmt::format("must be {}{}",
                     choices_text(option.choices),
                     near ? fmt::format(" (did you mean {}?)", *near) : "");
}

std::string why_out_of_range(const OptionKey& option, double value) {
  if (option.least == option.most || (value >= option.least && value <= option.most)) {
    return {};
  }
  // Upper bounds that only keep arithmetic safe are not worth telling a person.
  constexpr double k_worth_telling = 1e6;
  if (option.most > k_worth_telling && value < option.least) {
    return fmt::format("must be at least {:.0f}", option.least);
  }
  return fmt::format("must be between {:.0f} and {:.0f}", option.least, option.most);
}

std::string why_no_count(const OptionKey& option, std::string_view text) {
  const auto number = parse_integer(text);
  if (number) {
    return why_out_of_range(option, static_cast<double>(*number));
  }
  const bool too_long = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  return too_long ? "is too large" : "expected a whole number";
}

std::string why_no_number(const OptionKey& option, std::string_view text) {
  const auto number = parse_number(text);
  return number ? why_out_of_range(option, *number) : "expected a number";
}

std::string why_no_bytes(const OptionKey& option, std::string_view text) {
  const auto size = parse_bytes(text);
  if (!size) {
    return "expected a size, as 512, 64KB or 16MiB";
  }
  const auto value = static_cast<double>(*size);
  if (value < option.least || value > option.most) {
    return fmt::format("must be between {} and {}",
                       bytes_text(static_cast<std::uint64_t>(option.least)),
                       bytes_text(static_cast<std::uint64_t>(option.most)));
  }
  return {};
}

std::string why_no_duration(std::string_view text) {
  const auto milliseconds = parse_duration_ms(text);
  if (!milliseconds) {
    return "expected a time, as 250ms, 30s, 5m or 2h";
  }
  return *milliseconds == 0 ? "must be longer than 0" : "";
}

std::string why_no_money(std::string_view text) {
  const auto usd = parse_usd(text);
  if (!usd) {
    return "expected an amount in USD, as 5 or 0.25";
  }
  return *usd == 0 ? "must be more than 0" : "";
}

std::string why_no_share(std::string_view text) {
  if (text.ends_with('%')) {
    const auto percent = parse_number(text.substr(0, text.size() - 1));
    const bool fits = percent && *percent > 0 && *percent <= 100;
    return fits ? "" : "expected a share between 0% and 100%";
  }
  const auto rows = parse_integer(text);
  return rows && *rows >= 1 ? "" : "expected a number of rows, as 20, or a share of them, as 5%";
}

std::string why_no_character(std::string_view text) {
  if (text == "none" || text == "\\t" || text == "tab") {
    return {};
  }
  const bool fits = text.size() == 1 && static_cast<unsigned char>(text.front()) < 0x80 &&
                    text != "\n" && text != "\r";
  return fits ? "" : "expected one ASCII character, or \\t";
}

std::string why_no_pair(std::string_view text) {
  const auto equals = text.find('=');
  return equals == std::string_view::npos || equals == 0 ? "expected NAME=VALUE" : "";
}

}  // namespace

const OptionKey* find_option(std::string_view key) noexcept {
  const auto table = option_table();
  const auto found =
      std::find_if(table.begin(), table.end(), [key](const auto& row) { return row.key == key; });
  return found == table.end() ? nullptr : &*found;
}

const OptionKey* find_flag(Command command, std::string_view flag) noexcept {
  const auto same = [](char a, char b) { return a == b || (a == '_' && b == '-'); };
  for (const OptionKey& option : option_table()) {
    const auto name = name_of(option);
    if (option.commands.contains(command) && name.size() == flag.size() &&
        std::equal(name.begin(), name.end(), flag.begin(), same)) {
      return &option;
    }
  }
  return nullptr;
}

std::string_view section_of(const OptionKey& option) noexcept {
  const auto dot = option.key.find('.');
  return dot == std::string_view::npos ? std::string_view() : option.key.substr(0, dot);
}

std::string_view name_of(const OptionKey& option) noexcept {
  const auto dot = option.key.find('.');
  return dot == std::string_view::npos ? option.key : option.key.substr(dot + 1);
}

std::string flag_of(const OptionKey& option) {
  std::string flag = fmt::format("--{}", name_of(option));
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string environment_of(const OptionKey& option) {
  if (option.set_by == SetBy::flag) {
    return {};
  }
  // Options of `run` carry no section: BATCHLLM_CONCURRENCY. The simulator's do, because some have
  // the name of an option of `run`.
  const auto section = section_of(option);
  std::string name = "BATCHLLM_";
  if (!section.empty() && section != "run") {
    name += fmt::format("{}_", section);
  }
  name += name_of(option);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

bool is_flag(const OptionKey& option) noexcept {
  return option.kind == ValueKind::flag || option.kind == ValueKind::level;
}

bool is_repeatable(const OptionKey& option) noexcept {
  return option.kind == ValueKind::texts || option.kind == ValueKind::list ||
         option.kind == ValueKind::choices || option.kind == ValueKind::pairs ||
         option.kind == ValueKind::json_pairs;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  std::string item;
  bool quoted = false;
  bool was_quoted = false;
  const auto take = [&] {
    auto name = was_quoted ? item : std::string(trim(item));
    if (was_quoted || !name.empty()) {
      items.push_back(std::move(name));
    }
    item.clear();
    was_quoted = false;
  };
  for (const char c : text) {
    if (c == '"' && (quoted || trim(item).empty())) {
      quoted = !quoted;
      if (quoted) {
        item.clear();
        was_quoted = true;
      }
    } else if (c == ',' && !quoted) {
      take();
    } else if (quoted || !was_quoted) {
      item += c;
    }
  }
  take();
  return items;
}

std::optional<bool> parse_boolean(std::string_view text) noexcept {
  for (const auto* yes : {"true", "1", "yes", "on"}) {
    if (equals_ignoring_case(text, yes)) {
      return true;
    }
  }
  for (const auto* no : {"false", "0", "no", "off"}) {
    if (equals_ignoring_case(text, no)) {
      return false;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_usd(std::string_view text) noexcept {
  if (text.starts_with('$')) {
    text.remove_prefix(1);
  }
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  const auto fraction = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  constexpr std::size_t k_most_digits = 9;
  const auto digits_only = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if ((whole.empty() && fraction.empty()) || whole.size() > k_most_digits ||
      fraction.size() > k_micro_digits || !digits_only(whole) || !digits_only(fraction)) {
    return std::nullopt;
  }
  const std::int64_t dollars = whole.empty() ? 0 : *parse_integer(whole);
  std::int64_t micro = fraction.empty() ? 0 : *parse_integer(fraction);
  for (auto digits = fraction.size(); digits < k_micro_digits; ++digits) {
    micro *= 10;
  }
  return dollars * k_micro + micro;
}

bool accepts_none(const OptionKey& option) noexcept {
  return option.default_text == "none" || option.placeholder.ends_with("|none");
}

std::string why_invalid(const OptionKey& option, std::string_view text) {
  if (text == "none" && accepts_none(option)) {
    return {};
  }
  if (text.find('\0') != std::string_view::npos) {
    return "must not contain a NUL byte";
  }
  switch (option.kind) {
    case ValueKind::flag:
      return parse_boolean(text) ? "" : "expected true or false";
    case ValueKind::level:
    case ValueKind::count:
      return why_no_count(option, text);
    case ValueKind::number:
      return why_no_number(option, text);
    case ValueKind::bytes:
      return why_no_bytes(option, text);
    case ValueKind::duration:
      return why_no_duration(text);
    case ValueKind::money:
      return why_no_money(text);
    case ValueKind::share:
      return why_no_share(text);
    case ValueKind::character:
      return why_no_character(text);
    case ValueKind::choice:
    case ValueKind::choices:
      return why_no_choice(option, text);
    case ValueKind::pairs:
    case ValueKind::json_pairs:
      return why_no_pair(text);
    case ValueKind::path:
      return text.empty() ? "expected a file name" : "";
    case ValueKind::text:
    case ValueKind::texts:
    case ValueKind::list:
      return is_utf8(text) ? "" : "is not valid UTF-8";
  }
  return {};
}

}  // namespace batchllm
