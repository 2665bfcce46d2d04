// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/connection_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace batchllm::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t k_kept_bytes = std::size_t{8} << 10;
constexpr std::size_t k_lingering_bytes = std::size_t{1} << 20;
constexpr milliseconds k_lingering{1'000};

int left_until(ConnectionSocket::Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - ConnectionSocket::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

// True when `event` (or an error) is there before the deadline, and no stop came instead.
bool wait_for(int descriptor,
              short event,
              ConnectionSocket::Clock::time_point deadline,
              int stop_event) {
  std::array<pollfd, 2> watched{pollfd{descriptor, event, 0}, pollfd{stop_event, POLLIN, 0}};
  while (true) {
    const int ready = ::poll(watched.data(), stop_event < 0 ? 1 : 2, left_until(deadline));
    if (ready >= 0) {
      return watched[0].revents != 0;
    }
    if (errno != EINTR) {
      return false;
    }
  }
}

}  // namespace

void ConnectionSocket::make_room(std::size_t bytes) {
  if (taken_ == filled_) {
    taken_ = filled_ = 0;
  }
  if (buffer_.size() - filled_ >= bytes) {
    return;
  }
  std::memmove(buffer_.data(), buffer_.data() + taken_, filled_ - taken_);
  filled_ -= taken_;
  taken_ = 0;
  if (buffer_.size() - filled_ < bytes) {
    buffer_.resize(filled_ + bytes);
  }
}

ConnectionSocket::Received ConnectionSocket::received(ssize_t count) {
  if (count <= 0) {
    return count < 0 && errno == EAGAIN ? Received::late : Received::end;
  }
  filled_ += static_cast<std::size_t>(count);
  return Received::bytes;
}

ConnectionSocket::Received ConnectionSocket::receive_blocking(std::size_t most) {
  make_room(most);
  ssize_t count = 0;
  do {
    count = ::recv(descriptor(), buffer_.data() + filled_, most, 0);
  } while (count < 0 && errno == EINTR);
  return received(count);
}

ConnectionSocket::Received ConnectionSocket::receive(std::size_t most, Clock::time_point deadline) {
  make_room(most);
  while (true) {
    const ssize_t count = ::recv(descriptor(), buffer_.data() + filled_, most, MSG_DONTWAIT);
    if (count >= 0 || (errno != EAGAIN && errno != EINTR)) {
      return received(count);
    }
    if (errno == EAGAIN && !wait_for(descriptor(), POLLIN, deadline, -1)) {
      return Received::late;
    }
  }
}

bool ConnectionSocket::send(std::string_view head,
                            std::string_view body,
                            milliseconds patience,
                            int stop_event) {
  while (!head.empty() || !body.empty()) {
    std::array<iovec, 2> pieces{iovec{const_cast<char*>(head.data()), head.size()},
                                iovec{const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t count = ::sendmsg(descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      const auto sent = static_cast<std::size_t>(count);
      const auto of_head = std::min(sent, head.size());
      head.remove_prefix(of_head);
      body.remove_prefix(sent - of_head);
    } else if (errno == EAGAIN) {
      if (!wait_for(descriptor(), POLLOUT, Clock::now() + patience, stop_event)) {
        return false;
      }
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void ConnectionSocket::shrink() {
  if (buffer_.size() > k_kept_bytes && filled_ - taken_ <= k_kept_bytes) {
    buffer_ = std::string(pending());
    filled_ = buffer_.size();
    taken_ = 0;
  }
}

void ConnectionSocket::linger() {
  ::shutdown(descriptor(), SHUT_WR);
  const auto deadline = Clock::now() + k_lingering;
  for (std::size_t thrown_away = 0; thrown_away < k_lingering_bytes;) {
    taken_ = filled_;
    if (receive(k_kept_bytes, deadline) != Received::bytes) {
      return;
    }
    thrown_away += filled_;
  }
}

}  // namespace batchllm::daemon
