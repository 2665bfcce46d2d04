// SPDX-License-Identifier: Apache-2.0
// Where the service is put together: the only place that constructs its parts.
#pragma once

#include "core/config_layers.h"
#include "daemon/service/daemon_settings.h"
#include "daemon/service/service_environment.h"

#include <vector>

namespace batchllm::daemon {

// What the service was started with.
struct DaemonStart {
  DaemonSettings settings;
  SettingLayer flags;  // for reading the configuration again
  EnvironmentLookup environment;
  std::vector<InheritedSocket> sockets;  // opened by the service manager; empty: open your own
};

// Serves until it is asked to stop; returns the exit code. Throws Error when it cannot start.
int run_daemon(DaemonStart start);

// Makes the queue usable again while no service runs, and says on standard output what it did.
// Returns the exit code. Throws Error(daemon_running), and what repair_queue does.
int repair_daemon(const DaemonSettings& settings, bool wants_json);

}  // namespace batchllm::daemon
