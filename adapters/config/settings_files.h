// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/config/config_files.h"
#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm {

// The config files that count for a call with these flags, weakest first: with --config only that
// one, with --no-config none. Those that do not exist are listed too. `folder` is where a project's
// file is looked for; empty: nowhere. Throws Error(config_invalid) when the file of --config is
// missing.
std::vector<ConfigFile> config_files_for(const SettingLayer& flags,
                                         const EnvironmentLookup& environment,
                                         const std::string& folder);

// The files that say which models there are (adapters/providers/model_catalog.h), weakest first:
// the config files but a project's, whose providers could send a key elsewhere, and models.toml of
// the user. They need not exist.
std::vector<std::string> model_files_for(const SettingLayer& flags,
                                         const EnvironmentLookup& environment);

// Merges flags, environment and those config files. Throws Error(config_invalid) for a file that
// cannot be used; values from the environment are checked later, by the command that takes them.
Settings load_settings(const SettingLayer& flags,
                       const EnvironmentLookup& environment,
                       const std::string& folder);

// Flags and environment only: for help and version, which no broken file may prevent.
Settings settings_without_files(const SettingLayer& flags, const EnvironmentLookup& environment);

}  // namespace batchllm
