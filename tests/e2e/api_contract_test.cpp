// SPDX-License-Identifier: Apache-2.0
// The whole contract against a running daemon: every operation, every answer that it lists.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"

#include <filesystem>

using namespace batchllm::test;

TEST_CASE("the daemon does what the contract says", "[e2e][daemon][contract]") {
  if (!std::filesystem::exists(BATCHLLM_CONTRACT "/node_modules/ajv") ||
      run_process({.argv = {"node", "--version"}}).exit_code != 0) {
    WARN("skipped: needs node and the packages of tests/contract (npm install there)");
    return;
  }
  const DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM});
  const auto result = run_process({.argv = {"node", "drive.mjs", daemon.socket(), BATCHLLM_PROGRAM},
                                   .folder = BATCHLLM_CONTRACT});
  CAPTURE(result.output_text, result.error_text);
  CHECK(result.exit_code == 0);
}
