// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/process_setup.h"
#include "core/text.h"
#include "daemon/worker/worker.h"

#include <fmt/format.h>

#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

namespace {

using batchllm::Error;
using batchllm::ErrorCode;

constexpr int k_channel = 3;

void report(const Error& error) {
  const std::string hint = error.hint().empty() ? "" : fmt::format("  hint: {}\n", error.hint());
  const std::string text =
      fmt::format("error: batchllm-worker: {}\n{}", batchllm::printable(error.message()), hint);
  [[maybe_unused]] const auto sent = write(STDERR_FILENO, text.data(), text.size());
}

int run(const std::vector<std::string>& words) {
  if (words.size() != 2) {
    throw Error(ErrorCode::usage, "batchllmd starts it; there is nothing to start by hand");
  }
  if (words.front() != BATCHLLM_VERSION) {
    throw Error(ErrorCode::daemon_unreachable,
                fmt::format("it is version {} and batchllmd {}", BATCHLLM_VERSION, words.front()),
                "install both anew");
  }
  return batchllm::daemon::run_worker(k_channel, words.back());
}

}  // namespace

// The words: the version of the daemon that starts it, and the state folder.
int main(int argc, char** argv) {
  batchllm::ignore_write_signals();
  try {
    return run({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const Error& error) {
    report(error);
    return error.exit_code();
  } catch (const std::exception& bug) {
    const Error error(ErrorCode::internal,
                      fmt::format("internal error: {}", bug.what()),
                      "this is a bug; please report it");
    report(error);
    return error.exit_code();
  }
}
