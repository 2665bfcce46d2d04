// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/connection_socket.h"
#include "daemon/http/http_message.h"
#include "daemon/http/request_head.h"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace batchllm::daemon {

// The body that follows a request's head, with a Content-Length or in chunks, piece by piece.
class RequestBody final : public BodySource {
 public:
  RequestBody(ConnectionSocket& connection,
              const RequestHead& head,
              std::chrono::milliseconds patience);

  // Asks a client that waits for it (Expect: 100-continue) to go on.
  std::string_view next() override;

  bool is_complete() const noexcept { return state_ == State::complete; }

  // True when what is left is worth reading to keep the connection: little, and on its way.
  bool is_worth_skipping() const noexcept;

  // Throws away what is left. False when that fails.
  bool skip() noexcept;

 private:
  enum class State { length, chunk_head, chunk, chunk_end, trailer, complete };

  std::string_view data();
  std::string_view take_line();
  void begin_chunk();
  void count_meaningless(std::size_t bytes);
  void receive();

  ConnectionSocket& connection_;
  std::chrono::milliseconds patience_;
  State state_;
  std::uint64_t left_ = 0;               // bytes of the body, or of the current chunk
  std::uint64_t meaningless_bytes_ = 0;  // chunk extensions and trailers
  std::size_t piece_ = 0;                // bytes given out and not consumed yet
  bool owes_continue_ = false;
};

}  // namespace batchllm::daemon
