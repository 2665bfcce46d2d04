// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/daemon_signals.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <system_error>

namespace batchllm::daemon {
namespace {

constexpr std::array k_signals = {SIGTERM, SIGINT, SIGHUP};
constexpr std::array k_by_urgency = {ServiceRequest::stop_now,
                                     ServiceRequest::finish,
                                     ServiceRequest::drain,
                                     ServiceRequest::reload};

// What the handler may touch: lock-free atomics.
std::atomic<unsigned> pending{0};
std::atomic<int> wake_descriptor{-1};
std::atomic<bool> stop_was_asked{false};
std::array<struct sigaction, k_signals.size()> former_actions{};

static_assert(std::atomic<unsigned>::is_always_lock_free);

// Async-signal-safe: atomics, write and _exit.
void on_signal(int number) {
  const int saved = errno;
  if (number == SIGHUP) {
    DaemonSignals::post(ServiceRequest::reload);
  } else if (stop_was_asked.exchange(true)) {
    _exit(number == SIGINT ? 130 : 143);
  } else {
    DaemonSignals::post(ServiceRequest::drain);
  }
  errno = saved;
}

std::optional<ServiceRequest> take_pending() {
  for (const ServiceRequest request : k_by_urgency) {
    const auto bit = static_cast<unsigned>(request);
    if ((pending.fetch_and(~bit) & bit) != 0) {
      return request;
    }
  }
  return std::nullopt;
}

// Milliseconds for poll(2): -1 without an end, rounded up so that the end has passed afterwards.
int timeout_ms(std::optional<std::chrono::steady_clock::time_point> until) {
  if (!until) {
    return -1;
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
  constexpr std::int64_t k_most = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, k_most));
}

}  // namespace

DaemonSignals::DaemonSignals() {
  if (wake_descriptor.load() >= 0) {
    throw std::logic_error("DaemonSignals: there is one already");
  }
  const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) {
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  pending = 0;
  stop_was_asked = false;
  wake_descriptor = descriptor;

  struct sigaction action {};

  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < k_signals.size(); ++i) {
    sigaction(k_signals.at(i), nullptr, &former_actions.at(i));
    if (former_actions.at(i).sa_handler != SIG_IGN) {
      sigaction(k_signals.at(i), &action, nullptr);
    }
  }
}

DaemonSignals::~DaemonSignals() {
  for (std::size_t i = 0; i < k_signals.size(); ++i) {
    sigaction(k_signals.at(i), &former_actions.at(i), nullptr);
  }
  close(wake_descriptor.exchange(-1));
}

std::optional<ServiceRequest> DaemonSignals::wait(
    std::optional<std::chrono::steady_clock::time_point> until) {
  while (true) {
    // Read before looking: what is asked afterwards makes the descriptor readable again.
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(wake_descriptor.load(), &count, sizeof count);
    if (const auto request = take_pending()) {
      return request;
    }
    pollfd watched{wake_descriptor.load(), POLLIN, 0};
    const int ready = poll(&watched, 1, timeout_ms(until));
    if (ready == 0) {
      return std::nullopt;
    }
    if (ready < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "poll");
    }
  }
}

void DaemonSignals::post(ServiceRequest request) noexcept {
  pending.fetch_or(static_cast<unsigned>(request));
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto sent = write(wake_descriptor.load(), &one, sizeof one);
}

}  // namespace batchllm::daemon
