// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/http/listening_socket.h"
#include "core/file_handle.h"

#include <optional>
#include <string>

namespace batchllm::daemon {

// A socket the server accepts on, non-blocking; what goes with it ends with it.
struct Listener {
  FileHandle lock;  // held as long as the path is ours
  std::optional<ListeningSocket> own;
  FileHandle adopted;
  bool is_unix = false;

  int descriptor() const noexcept { return own ? own->descriptor() : adopted.get(); }
};

// The three ways of HttpServer, with its errors.
Listener listen_at_path(const std::string& path);
Listener listen_on_loopback(const std::string& host, int port);
Listener adopt_socket(int descriptor);

// The port of a TCP socket, 0 of any other.
int port_of(int descriptor);

}  // namespace batchllm::daemon
