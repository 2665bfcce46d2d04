// SPDX-License-Identifier: Apache-2.0
#include "core/config_layers.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

constexpr std::size_t k_shown_value = 60;

std::vector<std::string> texts_of_variable(const OptionKey& option, const std::string& value) {
  switch (option.kind) {
    case ValueKind::list:
    case ValueKind::choices:
      return split_list(value);
    case ValueKind::pairs:
    case ValueKind::json_pairs: {
      auto lines = split(value, '\n');
      lines.erase(std::remove(lines.begin(), lines.end(), std::string()), lines.end());
      return lines;
    }
    default:
      return {value};
  }
}

}  // namespace

std::string_view layer_name(Layer layer) noexcept {
  constexpr std::array<std::string_view, 6> k_names = {
      "default", "system", "user", "project", "environment", "command_line"};
  return k_names.at(static_cast<std::size_t>(layer));
}

SettingLayer environment_layer(const EnvironmentLookup& environment) {
  SettingLayer layer;
  for (const OptionKey& option : option_table()) {
    const std::string name = environment_of(option);
    if (name.empty()) {
      continue;
    }
    const auto value = environment(name);
    if (value && !value->empty()) {
      layer[std::string(option.key)] = {
          texts_of_variable(option, *value), Layer::environment, name};
    }
  }
  return layer;
}

void add_flag(SettingLayer& layer,
              const OptionKey& option,
              const std::vector<std::string>& values) {
  SettingValue& value = layer[std::string(option.key)];
  value.layer = Layer::command_line;
  value.place = flag_of(option);
  if (option.kind == ValueKind::level) {
    const auto before = value.texts.empty() ? 0 : parse_integer(value.texts.front()).value_or(0);
    value.texts = {std::to_string(before + static_cast<std::int64_t>(values.size()))};
  } else if (option.kind == ValueKind::list || option.kind == ValueKind::choices) {
    for (const std::string& text : values) {
      for (auto& item : split_list(text)) {
        value.texts.push_back(std::move(item));
      }
    }
  } else if (is_repeatable(option)) {
    value.texts.insert(value.texts.end(), values.begin(), values.end());
  } else {
    value.texts = {values.back()};
  }
}

Settings::Settings(const std::vector<SettingLayer>& layers) {
  for (const SettingLayer& layer : layers) {
    take(layer);
  }
}

void Settings::take(const SettingLayer& layer) {
  // All are hidden before any is taken: rivals within one layer are left for check_exclusive.
  for (const auto& [one, other] : exclusive_options()) {
    if (layer.find(one) != layer.end()) {
      hide(other);
    }
    if (layer.find(other) != layer.end()) {
      hide(one);
    }
  }
  for (const auto& [key, value] : layer) {
    values_[key] = value;
  }
}

void Settings::hide(std::string_view key) {
  if (const auto found = values_.find(key); found != values_.end()) {
    values_.erase(found);
  }
}

const SettingValue* Settings::find(std::string_view key) const noexcept {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::string with_place(const OptionKey& option, const SettingValue& value, std::string_view text) {
  const std::string shown = one_line(text, k_shown_value);
  switch (value.layer) {
    case Layer::command_line:
      return fmt::format("{} {}", value.place, shown.empty() ? "\"\"" : shown);
    case Layer::environment:
      return fmt::format("{}={}", value.place, shown);
    default:
      return fmt::format("{}: {} = {}", value.place, name_of(option), shown);
  }
}

void check_setting(const OptionKey& option, const SettingValue& value) {
  for (const std::string& text : value.texts) {
    const std::string why = why_invalid(option, text);
    if (why.empty()) {
      continue;
    }
    const bool is_flag_layer = value.layer == Layer::command_line;
    throw Error(is_flag_layer ? ErrorCode::usage : ErrorCode::config_invalid,
                fmt::format("{}: {}", with_place(option, value, text), why),
                fmt::format("{}: {}", flag_of(option), option.help))
        .with_detail("option", std::string(option.key))
        .with_detail("place", value.place);
  }
}

void check_exclusive(const Settings& settings, Command command) {
  for (const auto& [one, other] : exclusive_options()) {
    const OptionKey& option = *find_option(one);
    const SettingValue* first = settings.find(one);
    const SettingValue* second = settings.find(other);
    if (first == nullptr || second == nullptr || !option.commands.contains(command)) {
      continue;
    }
    const auto is_off = [](const SettingValue& value) {
      return value.texts.size() == 1 && parse_boolean(value.texts.front()) == false;
    };
    if (option.kind == ValueKind::flag && (is_off(*first) || is_off(*second))) {
      continue;
    }
    throw Error(ErrorCode::usage,
                fmt::format("{} and {} exclude each other", first->place, second->place));
  }
}

}  // namespace batchllm
