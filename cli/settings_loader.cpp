// SPDX-License-Identifier: Apache-2.0
#include "cli/settings_loader.h"

#include "adapters/config/settings_files.h"
#include "adapters/job/api_key.h"
#include "cli/secret_input.h"
#include "core/directories.h"
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

}  // namespace

Settings settings_without_files(const CommandLine& line, const EnvironmentLookup& environment) {
  return settings_without_files(line.flags, environment);
}

std::vector<ConfigFile> config_files_for(const CommandLine& line,
                                         const EnvironmentLookup& environment) {
  return config_files_for(line.flags, environment, working_folder());
}

Settings load_settings(const CommandLine& line, const EnvironmentLookup& environment) {
  return load_settings(line.flags, environment, working_folder());
}

ModelCatalog load_models(const CommandLine& line, const EnvironmentLookup& environment) {
  return ModelCatalog::load(model_files_for(line.flags, environment));
}

JobSurroundings surroundings_of(const CommandLine& line, const EnvironmentLookup& environment) {
  JobSurroundings surroundings{
      load_models(line, environment),
      environment,
      &aws::ask_metadata_server,
      secrets::kept_keys(
          find_directories(environment), environment, passphrase_from_terminal(line, environment))};
  remember_environment_secrets(surroundings.models, environment);
  return surroundings;
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
