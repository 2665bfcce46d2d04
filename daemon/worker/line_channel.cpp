// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/line_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_block = std::size_t{64} << 10;

}  // namespace

bool LineChannel::send(std::string_view line, int patience_ms) {
  const std::lock_guard lock(sending_);
  while (!line.empty() && !is_broken_) {
    const ssize_t sent =
        ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      line.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) {
      continue;
    }
    pollfd writable{socket_.get(), POLLOUT, 0};
    // When it hangs, its lease will tell.
    is_broken_ = errno != EAGAIN || poll(&writable, 1, patience_ms) == 0;
  }
  return !is_broken_;
}

bool LineChannel::receive() {
  std::array<char, k_block> block;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (true) {
    const ssize_t got = recv(socket_.get(), block.data(), block.size(), MSG_DONTWAIT);
    if (got > 0) {
      received_.append(block.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    return got < 0 && errno == EAGAIN;
  }
}

std::optional<std::string> LineChannel::next_line() {
  const auto end = received_.find('\n', given_);
  if (end == std::string::npos) {
    received_.erase(0, given_);
    given_ = 0;
    return std::nullopt;
  }
  std::string line = received_.substr(given_, end - given_);
  given_ = end + 1;
  return line;
}

}  // namespace batchllm::daemon
