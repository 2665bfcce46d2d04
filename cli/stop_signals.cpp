// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace batchllm {
namespace {

constexpr std::array k_signals = {SIGINT, SIGTERM, SIGHUP};
constexpr std::size_t k_farewell_bytes = 64;

// What the handler may touch: lock-free atomics, and memory that is set before it is installed.
std::atomic<int> first_signal{0};
std::atomic<int> pipe_end{-1};
std::array<char, k_farewell_bytes> farewell_text{};
std::array<int, 2> pipe_ends{-1, -1};
std::array<struct sigaction, k_signals.size()> former_actions{};

static_assert(std::atomic<int>::is_always_lock_free);

// Async-signal-safe: atomics, write and _exit.
void on_signal(int number) {
  const int saved = errno;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) {
    const auto length = strnlen(farewell_text.data(), farewell_text.size());
    [[maybe_unused]] const auto sent = write(STDERR_FILENO, farewell_text.data(), length);
    _exit(number == SIGINT ? 130 : 143);
  }
  const char byte = 's';
  [[maybe_unused]] const auto sent = write(pipe_end.load(), &byte, 1);
  errno = saved;
}

void install(int number, struct sigaction& former) {
  struct sigaction action {};

  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, nullptr, &former);
  if (former.sa_handler != SIG_IGN) {
    sigaction(number, &action, nullptr);
  }
}

}  // namespace

StopSignals::StopSignals(std::stop_source source, const std::string& farewell) {
  if (pipe_end.load() >= 0) {
    throw std::logic_error("StopSignals: there is one already");
  }
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  farewell_text.fill('\0');
  farewell.copy(farewell_text.data(), farewell_text.size() - 1);
  first_signal = 0;
  pipe_end = pipe_ends[1];
  watcher_ = std::thread([this, source = std::move(source)] { watch(source); });
  for (std::size_t i = 0; i < k_signals.size(); ++i) {
    install(k_signals.at(i), former_actions.at(i));
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < k_signals.size(); ++i) {
    sigaction(k_signals.at(i), &former_actions.at(i), nullptr);
  }
  const char byte = 'q';
  while (write(pipe_ends[1], &byte, 1) < 0 && errno == EINTR) {
  }
  watcher_.join();
  pipe_end = -1;
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

void StopSignals::watch(const std::stop_source& source) const {
  char byte = 0;
  while (byte != 'q') {
    const auto got = read(pipe_ends[0], &byte, 1);
    if (got == 0 || (got < 0 && errno != EINTR)) {
      return;
    }
    if (got > 0 && byte == 's') {
      source.request_stop();
    }
  }
}

int StopSignals::received() const noexcept {
  return first_signal.load();
}

ErrorCode StopSignals::error_code() const noexcept {
  return received() == SIGINT ? ErrorCode::interrupted : ErrorCode::terminated;
}

}  // namespace batchllm
