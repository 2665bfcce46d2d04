// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/config/config_files.h"
#include "adapters/job/job_surroundings.h"
#include "cli/command_line.h"
#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm {

// The config files that count for this call, weakest first: with --config only that one, with
// --no-config none. Those that do not exist are listed too.
std::vector<ConfigFile> config_files_for(const CommandLine& line,
                                         const EnvironmentLookup& environment);

// Merges command line, environment and config files. Throws Error(config_invalid) for a file that
// cannot be used; values from the environment are checked later, by the command that takes them.
Settings load_settings(const CommandLine& line, const EnvironmentLookup& environment);

// The models that are known here: those that ship with the program, and the user's files over them
// ([providers.NAME] of config files but a project's, models.toml beside the user's). Throws
// Error(config_invalid).
ModelCatalog load_models(const CommandLine& line, const EnvironmentLookup& environment);

// What a job of this call finds where it runs. Throws as load_models.
JobSurroundings surroundings_of(const CommandLine& line, const EnvironmentLookup& environment);

// Command line and environment only: for help and version, which no broken file may prevent.
Settings settings_without_files(const CommandLine& line, const EnvironmentLookup& environment);

// Warnings about BATCHLLM_ variables that look like a misspelt one: "BATCHLLM_CONCURENCY is not a
// variable of batchllm; did you mean BATCHLLM_CONCURRENCY?". `names`: what the environment holds.
std::vector<std::string> misspelt_variables(const std::vector<std::string>& names);

}  // namespace batchllm
