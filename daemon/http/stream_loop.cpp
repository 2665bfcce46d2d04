// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/stream_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace batchllm::daemon {
namespace {

using Waits = FeedStream::Waits;

constexpr std::uint64_t k_inbox_id = 0;  // streams begin at 1

bool watch(int epoll, int operation, int descriptor, std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events;  // and EPOLLHUP, EPOLLERR, which always come
  event.data.u64 = id;
  return ::epoll_ctl(epoll, operation, descriptor, &event) == 0;
}

TimePoint now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

StreamLoop::StreamLoop(std::chrono::milliseconds patience,
                       std::chrono::milliseconds pulse,
                       std::function<void()> on_end)
    : patience_(patience),
      pulse_(pulse),
      on_end_(std::move(on_end)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      inbox_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  watch(epoll_.get(), EPOLL_CTL_ADD, inbox_event_.get(), EPOLLIN, k_inbox_id);
}

StreamLoop::~StreamLoop() {
  stop();
}

void StreamLoop::adopt(FileHandle socket, FeedStart start) {
  std::uint64_t id = 0;
  {
    const MutexLock lock(mutex_);
    id = next_id_++;
  }
  auto stream =
      std::make_unique<Stream>(id, std::move(socket), std::move(start), [this, id] { tell(id); });
  {
    const MutexLock lock(mutex_);
    if (!inbox_.is_stopping) {
      if (!thread_.joinable()) {
        thread_ = std::thread([this] { run(); });
      }
      inbox_.streams.push_back(std::move(stream));
      signal();
      return;
    }
  }
  stream->response.end();
  stream.reset();
  on_end_();
}

void StreamLoop::stop() {
  std::thread thread;
  {
    const MutexLock lock(mutex_);
    inbox_.is_stopping = true;
    signal();
    thread = std::move(thread_);
  }
  if (thread.joinable()) {
    thread.join();
  }
}

// Called by the feeds, in the middle of what is theirs.
void StreamLoop::tell(std::uint64_t id) {
  const MutexLock lock(mutex_);
  inbox_.news.push_back(id);
  signal();
}

void StreamLoop::signal() {
  if (!std::exchange(inbox_.is_signalled, true)) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(inbox_event_.get(), &one, sizeof one);
  }
}

StreamLoop::Inbox StreamLoop::take_inbox() {
  Inbox taken;
  const MutexLock lock(mutex_);
  taken.streams.swap(inbox_.streams);
  taken.news.swap(inbox_.news);
  taken.is_stopping = inbox_.is_stopping;
  inbox_.is_signalled = false;
  return taken;
}

void StreamLoop::run() {
  bool is_stopping = false;
  while (!is_stopping) {
    wait();
    Inbox inbox = take_inbox();
    for (auto& stream : inbox.streams) {
      begin(std::move(stream));
    }
    for (const std::uint64_t id : inbox.news) {
      go_on_with(id, Waits::news);
    }
    for (const std::uint64_t id : std::exchange(turns_, {})) {
      go_on_with(id, Waits::turn);
    }
    drop_the_stalled();
    send_signs_of_life();
    is_stopping = inbox.is_stopping;
  }
  while (!streams_.empty()) {
    Stream& stream = *streams_.begin()->second;
    stream.response.end();
    end(stream);
  }
}

int StreamLoop::patience_ms() const {
  if (!turns_.empty() || streams_.empty()) {
    return turns_.empty() ? -1 : 0;
  }
  const Deadline* stalled = stalled_.soonest();
  const TimePoint next = stalled == nullptr ? next_pulse_ : std::min(next_pulse_, stalled->at);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

void StreamLoop::wait() {
  std::array<epoll_event, 128> events{};
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience_ms());
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == k_inbox_id) {
      std::uint64_t signals = 0;
      [[maybe_unused]] const ssize_t taken = ::read(inbox_event_.get(), &signals, sizeof signals);
    } else if ((event.events & ~std::uint32_t{EPOLLOUT}) == 0) {
      go_on_with(event.data.u64, Waits::room);
    } else if (const auto found = streams_.find(event.data.u64); found != streams_.end()) {
      settle(*found->second, Waits::never);  // the client has left
    }
  }
}

void StreamLoop::begin(std::unique_ptr<Stream> stream) {
  if (streams_.empty()) {
    next_pulse_ = now() + pulse_;
  }
  Stream& begun = *streams_.emplace(stream->id, std::move(stream)).first->second;
  const bool is_watched =
      watch(epoll_.get(), EPOLL_CTL_ADD, begun.response.descriptor(), EPOLLRDHUP, begun.id);
  settle(begun, is_watched ? begun.response.go_on() : Waits::never);
}

void StreamLoop::go_on_with(std::uint64_t id, Waits expected) {
  const auto found = streams_.find(id);
  if (found != streams_.end() && found->second->waits == expected) {
    settle(*found->second, found->second->response.go_on());
  }
}

// Keeps what `stream` waits for from now on.
void StreamLoop::settle(Stream& stream, Waits waits) {
  const bool was_stalled = stream.waits == Waits::room;
  const bool is_stalled = waits == Waits::room;
  if (was_stalled) {
    stalled_.remove(stream);
  }
  stream.waits = waits;
  if (is_stalled) {
    stalled_.add(stream, now() + patience_);
  }
  if (was_stalled != is_stalled && waits != Waits::never) {
    watch(epoll_.get(),
          EPOLL_CTL_MOD,
          stream.response.descriptor(),
          EPOLLRDHUP | (is_stalled ? std::uint32_t{EPOLLOUT} : 0),
          stream.id);
  }
  if (waits == Waits::turn) {
    turns_.push_back(stream.id);
  } else if (waits == Waits::never) {
    end(stream);
  }
}

void StreamLoop::end(Stream& stream) {
  if (stream.waits == Waits::room) {
    stalled_.remove(stream);
  }
  streams_.erase(stream.id);
  on_end_();
}

void StreamLoop::drop_the_stalled() {
  while (stalled_.soonest() != nullptr && stalled_.soonest()->at <= now()) {
    settle(static_cast<Stream&>(*stalled_.soonest()), Waits::never);
  }
}

// All at once, whenever the last news was: a wake-up for a thousand clients, not one for each.
void StreamLoop::send_signs_of_life() {
  if (streams_.empty() || now() < next_pulse_) {
    return;
  }
  next_pulse_ = now() + pulse_;
  std::vector<std::uint64_t> quiet;
  for (const auto& [id, stream] : streams_) {
    if (stream->waits == Waits::news) {
      quiet.push_back(id);
    }
  }
  for (const std::uint64_t id : quiet) {
    Stream& stream = *streams_.at(id);
    settle(stream, stream.response.send_sign_of_life());
  }
}

}  // namespace batchllm::daemon
