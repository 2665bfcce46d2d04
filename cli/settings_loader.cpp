// SPDX-License-Identifier: Apache-2.0
#include "cli/settings_loader.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace batchllm {
namespace {

std::string working_folder() {
  std::error_code gone;
  const auto folder = std::filesystem::current_path(gone);
  return gone ? std::string() : folder.string();
}

std::string text_of(const Settings& settings, std::string_view key) {
  const SettingValue* value = settings.find(key);
  if (value == nullptr) {
    return {};
  }
  check_setting(*find_option(key), *value);
  return value->texts.front();
}

}  // namespace

Settings settings_without_files(const CommandLine& line, const EnvironmentLookup& environment) {
  return Settings({environment_layer(environment), line.flags});
}

std::vector<ConfigFile> config_files_for(const CommandLine& line,
                                         const EnvironmentLookup& environment) {
  const Settings settings = settings_without_files(line, environment);
  if (parse_boolean(text_of(settings, "no_config")).value_or(false)) {
    return {};
  }
  if (const std::string chosen = text_of(settings, "config"); !chosen.empty()) {
    if (!std::filesystem::is_regular_file(chosen)) {
      throw Error(ErrorCode::config_invalid,
                  fmt::format("{}: no such config file",
                              with_place(*find_option("config"), *settings.find("config"), chosen)))
          .with_detail("path", chosen);
    }
    return {{chosen, Layer::user, true}};
  }
  return find_config_files(find_directories(environment), working_folder());
}

Settings load_settings(const CommandLine& line, const EnvironmentLookup& environment) {
  std::vector<SettingLayer> layers;
  for (const ConfigFile& file : config_files_for(line, environment)) {
    if (file.exists) {
      layers.push_back(read_config_file(file.path, file.layer));
    }
  }
  layers.push_back(environment_layer(environment));
  layers.push_back(line.flags);
  return Settings(layers);
}

std::vector<std::string> misspelt_variables(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const OptionKey& option : option_table()) {
    if (std::string name = environment_of(option); !name.empty()) {
      known.push_back(std::move(name));
    }
  }
  std::vector<std::string> warnings;
  constexpr std::string_view k_prefix = "BATCHLLM_";
  for (const std::string& name : names) {
    const bool is_ours = name.starts_with(k_prefix);
    if (!is_ours || std::find(known.begin(), known.end(), name) != known.end()) {
      continue;
    }
    // The prefix, which all have in common, must not make different names look alike.
    std::vector<std::string> endings;
    std::transform(known.begin(), known.end(), std::back_inserter(endings), [&](const auto& other) {
      return other.substr(k_prefix.size());
    });
    if (const auto near = nearest_name(name.substr(k_prefix.size()), endings); near) {
      warnings.push_back(fmt::format("{} is not a variable of batchllm; did you mean {}{}?",
                                     one_line(name, 60),
                                     k_prefix,
                                     *near));
    }
  }
  return warnings;
}

}  // namespace batchllm
