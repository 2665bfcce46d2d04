// SPDX-License-Identifier: Apache-2.0
// share/openapi.json before outside judges: a linter, and JSON Schema for its examples.
#include "tests/support/catch.h"
#include "tests/support/process.h"

#include <filesystem>

using namespace batchllm::test;

namespace {

// False, with a word about it, where node or the packages are missing.
bool can_run_node() {
  if (std::filesystem::exists(BATCHLLM_CONTRACT "/node_modules/ajv") &&
      run_process({.argv = {"node", "--version"}}).exit_code == 0) {
    return true;
  }
  WARN("skipped: needs node and the packages of tests/contract (npm install there)");
  return false;
}

}  // namespace

TEST_CASE("an OpenAPI linter has nothing to say about the contract", "[e2e][contract]") {
  if (!can_run_node()) {
    return;
  }
  const auto result = run_process({.argv = {"node",
                                            "node_modules/.bin/spectral",
                                            "lint",
                                            "--ruleset",
                                            "spectral.yaml",
                                            "--fail-severity",
                                            "hint",
                                            "../../share/openapi.json"},
                                   .folder = BATCHLLM_CONTRACT});
  CAPTURE(result.output_text, result.error_text);
  CHECK(result.exit_code == 0);
}

TEST_CASE("every example of the contract is what its schema describes", "[e2e][contract]") {
  if (!can_run_node()) {
    return;
  }
  const auto result = run_process({.argv = {"node", "examples.mjs"}, .folder = BATCHLLM_CONTRACT});
  CAPTURE(result.output_text, result.error_text);
  CHECK(result.exit_code == 0);
}
