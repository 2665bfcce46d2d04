// SPDX-License-Identifier: Apache-2.0
// The official npm clients talk to the simulator as they would to their providers.
#include "tests/support/catch.h"
#include "tests/support/simulator_process.h"

#include <filesystem>
#include <string>

using namespace batchllm::test;

TEST_CASE("official clients can talk to the simulator", "[e2e][npm_clients]") {
  struct Client {
    std::string package;
    std::string script;
  };

  const auto& client = GENERATE(values<Client>({
      {"openai", "openai_client.mjs"},
      {"@anthropic-ai/sdk", "anthropic_client.mjs"},
      {"@google/genai", "gemini_client.mjs"},
      {"ollama", "ollama_client.mjs"},
  }));
  const std::string folder = BATCHLLM_CLIENTS;
  if (!std::filesystem::exists(folder + "/node_modules/" + client.package) ||
      run_process({.argv = {"node", "--version"}}).exit_code != 0) {
    WARN("skipped: needs node and " + client.package + " (npm install in tests/clients)");
    return;
  }
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const SimulatorProcess limited(BATCHLLM_PROGRAM, {"--rpm", "1"});
  const auto result =
      run_process({.argv = {"node", client.script, simulator.base_url(), limited.base_url()},
                   .folder = folder});
  CAPTURE(client.package, result.output_text, result.error_text);
  CHECK(result.exit_code == 0);
}
