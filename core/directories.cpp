// SPDX-License-Identifier: Apache-2.0
#include "core/directories.h"

#include "core/error.h"

namespace batchllm {
namespace {

std::string absolute_value(const EnvironmentLookup& environment, const std::string& name) {
  const auto value = environment(name);
  return value && value->starts_with('/') ? *value : std::string();
}

std::string place(const EnvironmentLookup& environment,
                  const std::string& variable,
                  const std::string& under_home) {
  const std::string base = absolute_value(environment, variable);
  if (!base.empty()) {
    return base + "/batchllm";
  }
  const std::string home = absolute_value(environment, "HOME");
  return home.empty() ? std::string() : home + under_home + "/batchllm";
}

}  // namespace

Directories find_directories(const EnvironmentLookup& environment) {
  Directories found;
  found.config = place(environment, "XDG_CONFIG_HOME", "/.config");
  found.state = place(environment, "XDG_STATE_HOME", "/.local/state");
  found.data = place(environment, "XDG_DATA_HOME", "/.local/share");
  found.cache = place(environment, "XDG_CACHE_HOME", "/.cache");
  const std::string runtime = absolute_value(environment, "XDG_RUNTIME_DIR");
  if (!runtime.empty()) {
    found.runtime = runtime + "/batchllm";
  } else if (!found.state.empty()) {
    found.runtime = found.state + "/run";
  }
  return found;
}

std::string state_directory(const std::string& chosen, const Directories& directories) {
  if (!chosen.empty()) {
    return chosen;
  }
  if (directories.state.empty()) {
    throw Error(ErrorCode::storage,
                "no folder for jobs: neither XDG_STATE_HOME nor HOME is set to an absolute path",
                "say where with --state-dir DIR or BATCHLLM_STATE_DIR");
  }
  return directories.state;
}

std::string daemon_address(const std::string& chosen_host,
                           const std::string& chosen_state,
                           const EnvironmentLookup& environment) {
  if (!chosen_host.empty()) {
    return chosen_host;
  }
  const std::string runtime = absolute_value(environment, "XDG_RUNTIME_DIR");
  const std::string folder =
      runtime.empty() ? state_directory(chosen_state, find_directories(environment)) + "/run"
                      : runtime + "/batchllm";
  return "unix:" + folder + "/daemon.sock";
}

}  // namespace batchllm
