// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code_table.h"

#include <array>

namespace batchllm {
namespace {

// clang-format off
constexpr std::array k_exit_codes = {
    ExitCodeText{"0", "ok", "all that was asked was done", ""},
    ExitCodeText{"1", "internal", "a bug in batchllm", "report it"},
    ExitCodeText{"2", "usage", "wrong flag, config file or template", "fix the command"},
    ExitCodeText{"3", "input", "input missing, unreadable or malformed; column missing", "fix the file"},
    ExitCodeText{"4", "partial", "finished, some rows failed (--fail-on none makes it 0)", "batchllm retry JOB"},
    ExitCodeText{"5", "limit", "stopped by --max-cost, --deadline or --max-failures", "batchllm resume with a higher limit"},
    ExitCodeText{"6", "auth", "API key missing or refused", "batchllm keys set PROVIDER"},
    ExitCodeText{"7", "provider", "provider unreachable, failing or out of quota", "batchllm resume later"},
    ExitCodeText{"8", "daemon", "daemon unreachable or incompatible", "start the daemon"},
    ExitCodeText{"9", "not_found", "job, model or topic unknown", "batchllm jobs list"},
    ExitCodeText{"10", "conflict", "output exists, or job in use by another process", "--overwrite, --append"},
    ExitCodeText{"11", "storage", "disk full, permission denied, job damaged", "fix the disk; batchllm resume"},
    ExitCodeText{"12", "declined", "a question was answered with no, or nobody could be asked", "--yes"},
    ExitCodeText{"124", "timeout", "a wait took longer than allowed", "wait again"},
    ExitCodeText{"130 / 143", "interrupted", "stopped by Ctrl-C / SIGTERM; what was answered is kept", "batchllm resume"},
};
// clang-format on

}  // namespace

std::span<const ExitCodeText> exit_code_table() noexcept {
  return k_exit_codes;
}

}  // namespace batchllm
