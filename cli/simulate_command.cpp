// SPDX-License-Identifier: Apache-2.0
#include "cli/simulate_command.h"

#include "adapters/simulator/simulator.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

namespace batchllm {
namespace {

std::atomic<Simulator*> running_simulator = nullptr;  // what the signal handler stops

extern "C" void stop_running_simulator(int /*signal*/) {
  const int kept = errno;
  if (Simulator* simulator = running_simulator.load(); simulator != nullptr) {
    simulator->stop();
  }
  errno = kept;
}

// Has SIGINT and SIGTERM stop `simulator`, and puts back what was there before.
class StopOnSignals {
 public:
  explicit StopOnSignals(Simulator& simulator) {
    running_simulator = &simulator;

    struct sigaction action {};

    action.sa_handler = &stop_running_simulator;
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
    // A client that hangs up shows as an error of the write; the process must not die of it.
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, &old_pipe_);
  }

  StopOnSignals(const StopOnSignals&) = delete;
  StopOnSignals& operator=(const StopOnSignals&) = delete;

  ~StopOnSignals() {
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
    sigaction(SIGPIPE, &old_pipe_, nullptr);
    running_simulator = nullptr;
  }

 private:
  struct sigaction old_interrupt_ {};

  struct sigaction old_terminate_ {};

  struct sigaction old_pipe_ {};
};

SimulatorSettings settings_of(const SimulateOptions& options) {
  if (!options.socket.empty() && options.port) {
    throw Error(ErrorCode::usage, "--port and --socket exclude each other", "give one of them");
  }
  SimulatorSettings settings;
  settings.host = options.host;
  settings.port = options.port.value_or(0);
  settings.socket_path = options.socket;
  settings.seed = options.seed;
  if (!options.latency.empty()) {
    settings.latency = simulator::Latency::parse(options.latency);
  }
  settings.requests_per_minute = options.rpm;
  settings.tokens_per_minute = options.tpm;
  for (const std::string& fault : options.faults) {
    settings.faults.push_back(simulator::parse_fault(fault));
  }
  settings.script_path = options.script;
  settings.log_path = options.log;
  settings.log_bodies = options.log_bodies;
  settings.tls_certificate_path = options.tls_cert;
  settings.tls_key_path = options.tls_key;
  settings.required_key = options.require_key;
  return settings;
}

void announce(const Simulator& simulator, const SimulateOptions& options, bool json) {
  if (json) {
    JsonWriter writer;
    writer.begin_object();
    writer.key("schema").string("batchllm.simulate/1");
    writer.key("base_url").string(simulator.base_url());
    writer.end_object();
    fmt::print("{}\n", writer.text());
  } else {
    fmt::print("{}\n", simulator.base_url());
  }
  std::fflush(stdout);
  if (!json && !options.socket.empty()) {
    fmt::print(stderr,
               "try: curl --unix-socket {} http://localhost/v1/models\n",
               printable(options.socket));
  }
}

}  // namespace

int simulate_command(const SimulateOptions& options, bool json) {
  Simulator simulator(settings_of(options));
  {
    const StopOnSignals stop_on_signals(simulator);
    announce(simulator, options, json);
    simulator.run();
  }
  if (!json) {
    fmt::print(
        stderr, "simulator stopped after {}\n", count_noun(simulator.request_count(), "request"));
  }
  return 0;
}

}  // namespace batchllm
