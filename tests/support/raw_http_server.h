// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace batchllm {

// One request as it came over the wire.
struct RawRequest {
  std::string head;               // request line and headers
  std::string body;               // one that came in chunks: with their sizes
  std::size_t number = 0;         // 1-based, over all connections
  std::size_t on_connection = 0;  // 1-based, on its own
};

// What to do with a request: send these bytes as they are, then keep the connection, close it,
// reset it, or say nothing any more.
struct RawReply {
  enum class Then { keep, close, reset, hang };
  std::string bytes;
  Then then = Then::keep;
};

// An HTTP server that sends whatever a test wants, on loopback or a UNIX socket. A thread for each
// connection; the script is called on them, one at a time.
class RawHttpServer {
 public:
  using Script = std::function<RawReply(const RawRequest&)>;

  explicit RawHttpServer(Script script, const std::string& socket_path = {});
  ~RawHttpServer();
  RawHttpServer(const RawHttpServer&) = delete;
  RawHttpServer& operator=(const RawHttpServer&) = delete;

  std::string url() const;

  std::size_t requests() const noexcept { return requests_; }

  std::size_t connections() const noexcept { return connections_; }

  // A complete 200 with a Content-Length.
  static std::string ok(std::string_view body, std::string_view headers = {});

 private:
  void serve();
  void talk(int descriptor);

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> requests_{0};
  std::atomic<std::size_t> connections_{0};
  std::thread thread_;
};

}  // namespace batchllm
