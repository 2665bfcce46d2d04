// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/message_view.h"
#include "cli/terminal.h"
#include "core/config_layers.h"
#include "core/directories.h"

#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

enum class ProgressMode { none, bar, plain, json };

// The global options, resolved: what a command needs to talk to the person or script before it.
struct UiOptions {
  bool json = false;
  bool quiet = false;
  int verbose = 0;
  bool yes = false;
  bool no_input = false;
  ProgressMode progress = ProgressMode::plain;
  ColorChoice color = ColorChoice::automatic;
  std::string state_dir;  // --state-dir; empty: the usual place
};

// The bundle that every command is given. Not thread-safe but for `messages` (see there).
class Ui {
 public:
  Ui(UiOptions options, Terminal terminal, Directories directories);

  const UiOptions& options() const noexcept { return options_; }

  const Terminal& terminal() const noexcept { return terminal_; }

  const Directories& directories() const noexcept { return directories_; }

  MessageView& messages() noexcept { return messages_; }

  bool json() const noexcept { return options_.json; }

  // The folder for jobs (not created here). Throws Error(storage) when nobody says where.
  std::string state_dir() const;

  // Writes data to standard output. Throws Error(storage | storage_full); a closed pipe as
  // write_all says.
  void out(std::string_view text) const;

  // Asks a question that is answered with y or n. True with --yes. Throws Error(declined) when
  // nobody can be asked (--no-input, or standard input is no terminal), and when the answer is no.
  void confirm(std::string_view question) const;

  // Asks a question that is answered with a line of text, in lower case. Throws Error(declined)
  // when nobody can be asked, with `hint`.
  std::string ask(std::string_view question, const std::string& hint) const;

 private:
  UiOptions options_;
  Terminal terminal_;
  Directories directories_;
  MessageView messages_;
};

// Before anything is parsed: enough to report an error the way the caller wants it.
Ui first_ui(const std::vector<std::string>& words, const EnvironmentLookup& environment);

// From the settings of every layer. Throws as check_setting does.
Ui make_ui(const Settings& settings, const EnvironmentLookup& environment);

}  // namespace batchllm
