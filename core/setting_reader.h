// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// Typed access to merged settings. Every value was checked (check_settings), so that conversion
// does not fail; an option that no layer sets gives nullopt, empty or false. "none" is nullopt as
// well.
class SettingReader {
 public:
  explicit SettingReader(const Settings& settings) : settings_(settings) {}

  bool is_set(std::string_view key) const { return settings_.find(key) != nullptr; }

  std::string text(std::string_view key) const;
  std::optional<std::int64_t> count(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<std::uint64_t> bytes(std::string_view key) const;
  std::optional<std::int64_t> duration_ms(std::string_view key) const;
  std::optional<char> character(std::string_view key) const;  // '\0' for "none"
  bool flag(std::string_view key) const;
  const std::vector<std::string>& list(std::string_view key) const;
  std::vector<std::pair<std::string, std::string>> pairs(std::string_view key) const;

  // The option's own default where no layer sets it: for counts and durations that always have one.
  std::int64_t count_or_default(std::string_view key) const;
  std::int64_t duration_or_default_ms(std::string_view key) const;

 private:
  const Settings& settings_;
};

}  // namespace batchllm
