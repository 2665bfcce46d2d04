// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/secrets/key_store.h"
#include "cli/command_line.h"
#include "core/secret.h"

#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// Asks the person at the terminal for a line that is not shown while it is typed: on standard
// input, else on the terminal that belongs to the process (standard input may be data). nullopt
// when there is no terminal. Throws Error(interrupted) for Ctrl-C, Error(declined) for an empty
// answer.
std::optional<Secret> ask_secret(std::string_view question);

// A secret that somebody pipes in: standard input to its end, blanks around it dropped, 64 KiB at
// most. Throws Error(usage) for more, and for nothing.
Secret read_secret_from_stdin();

// Asks for the passphrase of the key store, a new one twice; answers nullopt with --no-input.
secrets::AskPassphrase passphrase_from_terminal(const CommandLine& line,
                                                const EnvironmentLookup& environment);

}  // namespace batchllm
