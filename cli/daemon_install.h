// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/ui.h"
#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm {

struct DaemonInstallRequest {
  bool system = false;            // for the machine instead of the user
  bool socket_activated = false;  // start with the first call instead of with the login
  bool dry_run = false;
};

// A systemd unit as it is to stand on disk.
struct UnitFile {
  std::string path;
  std::string text;
};

// The units of packaging/systemd with the path of `program` in them, as the request asks for them:
// the user's in `config_home`/systemd/user, the machine's in /etc/systemd/system.
std::vector<UnitFile> daemon_units(const DaemonInstallRequest& request,
                                   const std::string& program,
                                   const std::string& config_home);

// Writes the units, and enables and starts them where systemd answers; otherwise says what is left
// to do. A dry run prints the units and changes nothing.
int daemon_install(const DaemonInstallRequest& request,
                   const EnvironmentLookup& environment,
                   Ui& ui);

// Stops, disables and removes what daemon_install() wrote.
int daemon_uninstall(const DaemonInstallRequest& request,
                     const EnvironmentLookup& environment,
                     Ui& ui);

}  // namespace batchllm
