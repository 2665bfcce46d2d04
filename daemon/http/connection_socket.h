// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// One accepted connection: received bytes that nobody has taken yet, and sending with a deadline.
// Used on the connection's thread only.
class ConnectionSocket {
 public:
  using Clock = std::chrono::steady_clock;

  enum class Received { bytes, end, late };

  // The socket is blocking and has a receive timeout (see receive_blocking()).
  explicit ConnectionSocket(FileHandle socket) : socket_(std::move(socket)) {}

  int descriptor() const noexcept { return socket_.get(); }

  // Gives the socket to the caller; only the destructor may follow.
  FileHandle release() noexcept { return std::move(socket_); }

  // What came and was not consumed. Valid until the next receive.
  std::string_view pending() const noexcept { return {buffer_.data() + taken_, filled_ - taken_}; }

  void consume(std::size_t bytes) noexcept { taken_ += bytes; }

  // Appends to pending() what comes, `most` bytes at most; waits until `deadline`.
  Received receive(std::size_t most, Clock::time_point deadline);

  // The same in one system call; waits as long as the socket's own receive timeout.
  Received receive_blocking(std::size_t most);

  // Sends both, with as few system calls as possible. False when the client has left or takes
  // nothing for `patience`, or as soon as `stop_event` (an eventfd, or -1) is signalled and the
  // client takes nothing.
  bool send(std::string_view head,
            std::string_view body,
            std::chrono::milliseconds patience,
            int stop_event = -1);

  // Gives a large buffer's memory back; pending bytes stay.
  void shrink();

  // Says that nothing more will be sent and throws away what still comes, for a short while, so
  // that closing does not destroy the response on its way.
  void linger();

 private:
  Received received(ssize_t count);
  void make_room(std::size_t bytes);

  FileHandle socket_;
  std::string buffer_;
  std::size_t taken_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace batchllm::daemon
