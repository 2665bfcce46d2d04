// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/line_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_block = std::size_t{64} << 10;
constexpr int k_patience_ms = 30'000;

}  // namespace

bool LineChannel::send(std::string_view line) {
  const std::lock_guard lock(sending_);
  while (!line.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      line.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) {
      continue;
    }
    if (errno != EAGAIN) {
      return false;
    }
    pollfd writable{socket_.get(), POLLOUT, 0};
    if (poll(&writable, 1, k_patience_ms) == 0) {
      return false;  // it hangs; its lease will tell
    }
  }
  return true;
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
