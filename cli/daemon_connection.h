// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/daemon_client.h"
#include "core/config_layers.h"

#include <stop_token>

namespace batchllm {

// How these settings reach batchllmd: at --host, else where the service's own settings say that it
// listens. For TCP, the secret comes from --token-file of the service, else from the file that it
// makes in the state folder, where that can be read.
DaemonClientSettings daemon_connection(const Settings& settings,
                                       const EnvironmentLookup& environment,
                                       std::stop_token stop = {});

// True when the daemon is this machine's, and reads the files that paths of this user name.
bool is_local_daemon(const DaemonClientSettings& connection);

}  // namespace batchllm
