// SPDX-License-Identifier: Apache-2.0
// The official npm client talks to the simulator as it would to OpenAI.
#include "tests/support/catch.h"
#include "tests/support/simulator_process.h"

#include <filesystem>

using namespace batchllm::test;

TEST_CASE("the official openai client can talk to the simulator", "[e2e][openai_client]") {
  const std::string folder = BATCHLLM_CLIENTS;
  if (!std::filesystem::exists(folder + "/node_modules/openai") ||
      run_process({.argv = {"node", "--version"}}).exit_code != 0) {
    WARN("skipped: needs node and the openai package (npm install in tests/clients)");
    return;
  }
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const SimulatorProcess limited(BATCHLLM_PROGRAM, {"--rpm", "1"});
  const auto result =
      run_process({.argv = {"node", "openai_client.mjs", simulator.base_url(), limited.base_url()},
                   .folder = folder});
  CAPTURE(result.output_text, result.error_text);
  CHECK(result.exit_code == 0);
}
