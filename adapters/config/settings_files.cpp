// SPDX-License-Identifier: Apache-2.0
#include "adapters/config/settings_files.h"

#include "core/directories.h"
#include "core/error.h"

#include <fmt/format.h>

#include <filesystem>

namespace batchllm {
namespace {

std::string text_of(const Settings& settings, std::string_view key) {
  const SettingValue* value = settings.find(key);
  if (value == nullptr) {
    return {};
  }
  check_setting(*find_option(key), *value);
  return value->texts.front();
}

}  // namespace

Settings settings_without_files(const SettingLayer& flags, const EnvironmentLookup& environment) {
  return Settings({environment_layer(environment), flags});
}

std::vector<ConfigFile> config_files_for(const SettingLayer& flags,
                                         const EnvironmentLookup& environment,
                                         const std::string& folder) {
  const Settings settings = settings_without_files(flags, environment);
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
  return find_config_files(find_directories(environment), folder);
}

std::vector<std::string> model_files_for(const SettingLayer& flags,
                                         const EnvironmentLookup& environment) {
  std::vector<std::string> files;
  for (const ConfigFile& file : config_files_for(flags, environment, "")) {
    if (file.layer != Layer::project) {
      files.push_back(file.path);
    }
  }
  const std::string folder = find_directories(environment).config;
  const bool reads_files = !files.empty();  // not with --no-config
  if (reads_files && !folder.empty()) {
    files.push_back(folder + "/models.toml");
  }
  return files;
}

Settings load_settings(const SettingLayer& flags,
                       const EnvironmentLookup& environment,
                       const std::string& folder) {
  std::vector<SettingLayer> layers;
  for (const ConfigFile& file : config_files_for(flags, environment, folder)) {
    if (file.exists) {
      layers.push_back(read_config_file(file.path, file.layer));
    }
  }
  layers.push_back(environment_layer(environment));
  layers.push_back(flags);
  return Settings(layers);
}

}  // namespace batchllm
