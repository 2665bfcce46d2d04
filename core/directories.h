// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"

#include <string>

namespace batchllm {

// Where batchllm keeps things, after the XDG base directory specification 0.8. Relative values of
// XDG variables are ignored, as it demands. An empty string: neither the variable nor HOME says
// where.
struct Directories {
  std::string config;   // $XDG_CONFIG_HOME/batchllm or ~/.config/batchllm
  std::string state;    // $XDG_STATE_HOME/batchllm or ~/.local/state/batchllm
  std::string data;     // $XDG_DATA_HOME/batchllm or ~/.local/share/batchllm
  std::string cache;    // $XDG_CACHE_HOME/batchllm or ~/.cache/batchllm; may be deleted at any time
  std::string runtime;  // $XDG_RUNTIME_DIR/batchllm or run/ in the state folder
};

Directories find_directories(const EnvironmentLookup& environment);

// The folder for jobs: the --state-dir setting when it is not empty, else the XDG one. Throws
// Error(storage) when neither is known.
std::string state_directory(const std::string& chosen, const Directories& directories);

// Where batchllmd listens and is looked for, as "unix:PATH": the --host setting when it is not
// empty, else daemon.sock in $XDG_RUNTIME_DIR/batchllm, else in run/ of the folder that
// state_directory() gives. Throws as that does.
std::string daemon_address(const std::string& chosen_host,
                           const std::string& chosen_state,
                           const EnvironmentLookup& environment);

}  // namespace batchllm
