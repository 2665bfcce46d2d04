// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

namespace batchllm::daemon {

// What the main thread of the service is asked to do.
enum class ServiceRequest : unsigned {
  stop_now = 1U << 0U,  // leave without waiting for what is in flight
  finish = 1U << 1U,    // the drain is over: leave
  drain = 1U << 2U,     // take nothing new, let what is in flight end
  reload = 1U << 3U,    // read the configuration again
};

// While it lives, SIGTERM and SIGINT ask for a drain, SIGHUP for a reload; requests of other parts
// of the service come the same way. A second SIGTERM or SIGINT ends the process at once with 143 or
// 130, whatever hangs: everything on disk bears that, and workers leave when their channel closes.
// A signal that was ignored when the process started (nohup) stays ignored. One instance at a time;
// create it before other threads. Nothing wakes up while nothing is asked.
class DaemonSignals {
 public:
  DaemonSignals();
  ~DaemonSignals();
  DaemonSignals(const DaemonSignals&) = delete;
  DaemonSignals& operator=(const DaemonSignals&) = delete;
  DaemonSignals(DaemonSignals&&) = delete;
  DaemonSignals& operator=(DaemonSignals&&) = delete;

  // The next request, the most urgent first; the same one asked twice comes once. nullopt when
  // `until` has passed. Main thread only.
  std::optional<ServiceRequest> wait(
      std::optional<std::chrono::steady_clock::time_point> until = std::nullopt);

  // Asks the main thread. Any thread.
  static void post(ServiceRequest request) noexcept;
};

}  // namespace batchllm::daemon
