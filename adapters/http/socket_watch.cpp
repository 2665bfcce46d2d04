// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/socket_watch.h"

#include "core/error.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace batchllm {
namespace {

// Few enough that what a response touched is still in the cache when the next request goes out on
// the same connection.
constexpr std::size_t k_events_at_once = 64;

}  // namespace

SocketWatch::SocketWatch()
    : events_(k_events_at_once),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  if (epoll_ < 0 || wake_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
    const int reason = errno;
    close(epoll_);
    close(wake_);
    throw Error(ErrorCode::storage,
                fmt::format("cannot wait for connections: {}", std::strerror(reason)));
  }
}

SocketWatch::~SocketWatch() {
  close(epoll_);
  close(wake_);
}

void SocketWatch::opened(int descriptor) {
  State& state = state_of(descriptor);
  const bool changed = state.changed;
  state = State{};
  state.changed = changed;
  state.ours = true;
}

void SocketWatch::closing(int descriptor) {
  State& state = state_of(descriptor);
  const bool changed = state.changed;
  state = State{};
  state.changed = changed;
}

void SocketWatch::want(int descriptor, int poll_bits, void* owner) {
  State& state = state_of(descriptor);
  state.owner = owner;
  state.wanted = static_cast<std::uint8_t>(poll_bits);
  if (!state.ours) {
    tell(descriptor, state);
  } else if (!state.changed) {
    state.changed = true;
    changed_.push_back(descriptor);
  }
}

std::span<const epoll_event> SocketWatch::wait(int timeout_ms) {
  for (const int descriptor : changed_) {
    State& state = state_of(descriptor);
    state.changed = false;
    if (state.wanted != state.told) {
      tell(descriptor, state);
    }
  }
  changed_.clear();
  const int count =
      epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  const std::span<epoll_event> events(events_.data(), static_cast<std::size_t>(std::max(count, 0)));
  const auto woken = std::find_if(
      events.begin(), events.end(), [&](const epoll_event& one) { return one.data.fd == wake_; });
  if (woken == events.end()) {
    return events;
  }
  take_wake();
  *woken = events.back();
  return events.first(events.size() - 1);
}

void SocketWatch::wake() noexcept {
  const std::uint64_t one = 1;
  const auto written = write(wake_, &one, sizeof one);
  (void)written;  // full: it is awake already
}

void* SocketWatch::owner_of(int descriptor) const noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  return index < states_.size() && states_[index].wanted != 0 ? states_[index].owner : nullptr;
}

SocketWatch::State& SocketWatch::state_of(int descriptor) {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= states_.size()) {
    states_.resize(std::max(index + 64, states_.size() * 2));
  }
  return states_[index];
}

void SocketWatch::tell(int descriptor, State& state) const {
  epoll_event event{};
  event.events = ((state.wanted & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
                 ((state.wanted & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  event.data.fd = descriptor;
  if (state.wanted == 0) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &event);
  } else {
    const int first = state.told != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    const int second = state.told != 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(epoll_, first, descriptor, &event) != 0) {
      epoll_ctl(epoll_, second, descriptor, &event);
    }
  }
  state.told = state.wanted;
}

void SocketWatch::take_wake() noexcept {
  std::uint64_t count = 0;
  const auto got = read(wake_, &count, sizeof count);
  (void)got;
}

}  // namespace batchllm
