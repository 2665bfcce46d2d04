// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"
#include "core/directories.h"

#include <string>
#include <vector>

namespace batchllm {

// A place where configuration is looked for.
struct ConfigFile {
  std::string path;
  Layer layer = Layer::user;
  bool exists = false;
};

// The config files for work in `folder`, weakest first: /etc/batchllm/config.toml, the user's, and
// the batchllm.toml of the nearest parent folder (listed only when there is one).
std::vector<ConfigFile> find_config_files(const Directories& directories,
                                          const std::string& folder);

// Reads one TOML file into the layer's values. Relative file names in it are taken from the file's
// folder. Throws Error(config_invalid) naming file and line for what is not TOML, an unknown key
// (with the nearest known one), a value of the wrong type or out of range, and for a key that this
// layer must not set; Error(config_invalid) too when the file cannot be read.
SettingLayer read_config_file(const std::string& path, Layer layer);

}  // namespace batchllm
