// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/settings_loader.h"
#include "cli/ui.h"
#include "core/config_layers.h"
#include "core/setting_reader.h"

namespace batchllm {

// One call of the program, as a command finds it. Refers to what outlives the command.
struct CommandCall {
  const CommandLine& line;
  const Settings& settings;
  const EnvironmentLookup& environment;
  Ui& ui;

  SettingReader reader() const { return SettingReader(settings); }

  JobSurroundings surroundings() const { return surroundings_of(line, environment); }

  Command command() const { return line.command->command; }
};

}  // namespace batchllm
