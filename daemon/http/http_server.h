// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/http_message.h"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace batchllm::daemon {

struct HttpServerSettings {
  std::chrono::milliseconds head_deadline{5'000};       // first to last byte of a request's head
  std::chrono::milliseconds transfer_deadline{30'000};  // without a byte of a body, either way
  std::chrono::milliseconds keep_alive{60'000};         // without a request
  std::chrono::milliseconds drain_deadline{10'000};     // for requests in flight at stop()
  std::chrono::milliseconds pulse{15'000};              // of signs of life to those who wait
  std::chrono::milliseconds thread_idle_time{10'000};   // after which a thread without work ends
  std::size_t request_line_bytes = 8 * 1024;
  std::size_t head_bytes = 64 * 1024;
  std::size_t header_count = 100;
  std::size_t connections = 2048;
  std::size_t streams = 1500;
  std::vector<uid_t> uids;  // served on UNIX sockets besides the own one and root's

  // Called on a thread of the server's when the last of those that served requests is about to end:
  // the time to let go of what requests needed. Must not throw; empty: nothing is.
  std::function<void()> on_quiet = {};
};

// Serves one handler on UNIX sockets and the loopback interface: a thread for each connection that
// asks, one for all responses that feeds write, and that of run() for accepting. Idle, it never
// wakes up.
//
// Thread rule: stop() from any thread and from a signal handler, connection_count() from any
// thread; everything else from one.
class HttpServer {
 public:
  // `handler` must outlive the server.
  explicit HttpServer(HttpHandler& handler, HttpServerSettings settings = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens at `path` (0600, its folder made 0700 when it is absent) and takes the place of a
  // socket whose process is gone. Throws Error(daemon_running) when another process listens there,
  // Error(usage | storage).
  void add_unix_listener(const std::string& path);

  // `host` is an address or name of the loopback interface, port 0 picks a free one; returns the
  // port. Throws Error(usage | daemon_running | storage).
  int add_tcp_listener(const std::string& host, int port);

  // Takes over a listening UNIX or TCP socket (systemd's socket activation); what is not one throws
  // Error(usage).
  void adopt_listener(int descriptor);

  // Serves until stop(); returns when every connection has ended. Called once.
  void run();

  // Idle connections and streams end at once, requests in flight within drain_deadline.
  void stop() noexcept;

  std::size_t connection_count() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace batchllm::daemon
