// SPDX-License-Identifier: Apache-2.0
#include "core/setting_reader.h"

#include "core/text.h"

namespace batchllm {

std::string SettingReader::text(std::string_view key) const {
  const SettingValue* value = settings_.find(key);
  return value == nullptr || value->texts.empty() ? std::string() : value->texts.front();
}

std::optional<std::int64_t> SettingReader::count(std::string_view key) const {
  return parse_integer(text(key));
}

std::optional<double> SettingReader::number(std::string_view key) const {
  return parse_number(text(key));
}

std::optional<std::uint64_t> SettingReader::bytes(std::string_view key) const {
  return parse_bytes(text(key));
}

std::optional<std::int64_t> SettingReader::duration_ms(std::string_view key) const {
  return parse_duration_ms(text(key));
}

std::optional<char> SettingReader::character(std::string_view key) const {
  const std::string value = text(key);
  if (value == "none") {
    return '\0';
  }
  if (value == "\\t" || value == "tab") {
    return '\t';
  }
  return value.empty() ? std::nullopt : std::optional(value.front());
}

bool SettingReader::flag(std::string_view key) const {
  return parse_boolean(text(key)).value_or(false);
}

const std::vector<std::string>& SettingReader::list(std::string_view key) const {
  static const std::vector<std::string> k_empty;
  const SettingValue* value = settings_.find(key);
  return value == nullptr ? k_empty : value->texts;
}

std::vector<std::pair<std::string, std::string>> SettingReader::pairs(std::string_view key) const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const std::string& text : list(key)) {
    const auto equals = text.find('=');
    found.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return found;
}

std::int64_t SettingReader::count_or_default(std::string_view key) const {
  const OptionKey* option = find_option(key);
  const auto standard = option == nullptr ? std::nullopt : parse_integer(option->default_text);
  return count(key).value_or(standard.value_or(0));
}

std::int64_t SettingReader::duration_or_default_ms(std::string_view key) const {
  const OptionKey* option = find_option(key);
  const auto standard = option == nullptr ? std::nullopt : parse_duration_ms(option->default_text);
  return duration_ms(key).value_or(standard.value_or(0));
}

}  // namespace batchllm
