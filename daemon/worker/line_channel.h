// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// Lines over a socket between the daemon and a worker.
//
// Thread rule: send() from any thread; everything else by one thread.
class LineChannel {
 public:
  explicit LineChannel(FileHandle socket) : socket_(std::move(socket)) {}

  int descriptor() const noexcept { return socket_.get(); }

  // Blocks until the other side has room for all of it. False: the other side is gone or hangs;
  // then nothing more is sent, as it may have half a line.
  bool send(std::string_view line, int patience_ms = 30'000);

  // Takes what has arrived without waiting. False: the other side is gone, and every line it sent
  // was given.
  bool receive();

  // The next whole line, without its break.
  std::optional<std::string> next_line();

 private:
  FileHandle socket_;
  std::mutex sending_;
  bool is_broken_ = false;  // guarded by sending_
  std::string received_;
  std::size_t given_ = 0;
};

}  // namespace batchllm::daemon
