// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/open_streams.h"

#include <sys/epoll.h>

#include <vector>

namespace batchllm::daemon {

std::uint64_t OpenStreams::open(int socket, const std::stop_source& stop) {
  std::uint64_t id = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (streams_.size() == most_) {
      return 0;
    }
    id = next_id_++;
    streams_.emplace(id, Stream{socket, stop});
    epoll_event event{};
    event.events = EPOLLRDHUP | EPOLLONESHOT;  // and EPOLLHUP, EPOLLERR, which always come
    event.data.u64 = id;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    if (!stopping_) {
      return id;
    }
  }
  std::stop_source(stop).request_stop();
  return id;
}

void OpenStreams::close(std::uint64_t id) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = streams_.find(id); found != streams_.end()) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, found->second.socket, nullptr);
    streams_.erase(found);
  }
}

// What a stop request runs belongs to the streams' producers: never under the lock.
void OpenStreams::hung_up(std::uint64_t id) {
  std::stop_source stop(std::nostopstate);
  {
    const std::scoped_lock lock(mutex_);
    const auto found = streams_.find(id);
    if (found == streams_.end()) {
      return;
    }
    stop = found->second.stop;
  }
  stop.request_stop();
}

void OpenStreams::stop() {
  std::vector<std::stop_source> stops;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    for (const auto& [id, stream] : streams_) {
      stops.push_back(stream.stop);
    }
  }
  for (auto& stop : stops) {
    stop.request_stop();
  }
}

}  // namespace batchllm::daemon
