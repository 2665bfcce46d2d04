// SPDX-License-Identifier: Apache-2.0
#include "core/process_setup.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

namespace batchllm {

void ignore_write_signals() noexcept {
  struct sigaction action {};

  action.sa_handler = SIG_IGN;
  sigemptyset(&action.sa_mask);
  sigaction(SIGPIPE, &action, nullptr);
  sigaction(SIGXFSZ, &action, nullptr);
}

std::optional<std::string> environment_variable(const std::string& name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this program changes the environment
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

}  // namespace batchllm
