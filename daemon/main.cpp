// SPDX-License-Identifier: Apache-2.0
#include "core/process_setup.h"
#include "daemon/program.h"

#include <string>
#include <vector>

int main(int argc, char** argv) {
  batchllm::ignore_write_signals();
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return batchllm::daemon::run_program(words, &batchllm::environment_variable);
}
