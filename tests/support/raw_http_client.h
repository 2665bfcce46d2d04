// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"

#include <string>
#include <string_view>

namespace batchllm {

// One response as it came, its body without the transfer's framing.
struct RawResponse {
  int status = 0;  // 0: the connection ended before one came
  std::string head;
  std::string body;
};

// A client that sends whatever bytes a test wants. Gives up on a server that says nothing for 20 s,
// as if the connection had ended.
class RawHttpClient {
 public:
  static RawHttpClient at_path(const std::string& path);
  static RawHttpClient at_port(int port);

  // False when the server has closed the connection.
  bool send(std::string_view bytes);

  // The next response. `is_for_head`: it has no body.
  RawResponse receive(bool is_for_head = false);

  // send() and receive().
  RawResponse ask(std::string_view bytes);

  // What comes until `mark` has come, or the end.
  std::string read_until(std::string_view mark);

  // True when the server closes the connection without another byte.
  bool is_at_end();

  void close() { socket_.reset(); }

  int descriptor() const noexcept { return socket_.get(); }

 private:
  explicit RawHttpClient(FileHandle socket) : socket_(std::move(socket)) {}

  bool fill();
  std::string take(std::size_t bytes);
  std::string take_chunks();

  FileHandle socket_;
  std::string pending_;
};

}  // namespace batchllm
