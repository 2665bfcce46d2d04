// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_call.h"

namespace batchllm {

// `batchllm keys set|list|rm|test`: the keys of providers. No key is ever shown, and none is taken
// from the command line. Returns the exit code; `test` answers 0 when every key is accepted, 6 when
// one is refused, 7 when a provider does not answer. Throws Error(model_unknown) for a provider
// that is none, Error(key_not_found), Error(key_missing), Error(key_store_locked),
// Error(vault_unreadable), Error(declined).
// Document: "batchllm.keys/1".
int keys_command(const CommandCall& call);

}  // namespace batchllm
