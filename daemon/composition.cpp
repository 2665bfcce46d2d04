// SPDX-License-Identifier: Apache-2.0
#include "daemon/composition.h"

#include "core/error.h"
#include "daemon/service/daemon_log.h"
#include "daemon/service/daemon_signals.h"

#include <unistd.h>

#include <chrono>
#include <optional>
#include <utility>

namespace batchllm::daemon {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

// When the watchdog wants to hear of us next.
std::optional<TimePoint> next_sign_of_life(const ServiceNotifier& notifier) {
  const auto interval = notifier.alive_interval();
  return interval ? std::optional(std::chrono::steady_clock::now() + *interval) : std::nullopt;
}

// A configuration that cannot be used changes nothing.
void reload(DaemonStart& start, const ServiceNotifier& notifier) {
  notifier.reloading();
  try {
    const DaemonSettings after = load_daemon_settings(start.flags, start.environment);
    for (const SettingChange& change : changes_between(start.settings, after)) {
      log_info("{} changes from {} to {}{}",
               change.key,
               change.from,
               change.to,
               change.needs_restart ? " with the next start" : "");
    }
    log_info("the configuration was read again");
    start.settings = reloaded(start.settings, after);
    set_log_level(start.settings.log.level);
  } catch (const Error& error) {
    log_error("the configuration stays as it was: {}", error.message());
  }
  notifier.ready("ready");
}

}  // namespace

int run_daemon(DaemonStart start) {
  DaemonSignals signals;
  const ServiceNotifier notifier(start.environment, getpid());
  log_info("batchllmd " BATCHLLM_VERSION " is ready");
  notifier.ready("ready");
  while (true) {
    const auto request = signals.wait(next_sign_of_life(notifier));
    if (!request) {
      notifier.alive();
    } else if (*request == ServiceRequest::reload) {
      reload(start, notifier);
    } else {
      notifier.stopping("stopping");
      log_info("stopping");
      return 0;
    }
  }
}

int run_worker(int descriptor) {
  log_error("there is no work for a worker on descriptor {}", descriptor);
  return 1;
}

int repair_daemon(const DaemonSettings& settings) {
  log_error("there is no queue to repair in {}", settings.state_dir);
  return 1;
}

}  // namespace batchllm::daemon
