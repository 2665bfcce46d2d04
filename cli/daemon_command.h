// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/ui.h"
#include "core/config_layers.h"

namespace batchllm {

// `batchllm daemon start|stop|status|logs|reload|install|uninstall|backup|repair`; returns the exit
// code. Errors are thrown as the commands of batchllm do.
int daemon_command(const CommandLine& line,
                   const Settings& settings,
                   const EnvironmentLookup& environment,
                   Ui& ui);

// What `daemon start` does, for a command that needs it: starts batchllmd in the background with
// the global options of `line`, and returns when it is ready.
void start_daemon(const CommandLine& line,
                  const Settings& settings,
                  const EnvironmentLookup& environment,
                  Ui& ui);

}  // namespace batchllm
