// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/http_server.h"
#include "tests/support/raw_http_client.h"
#include "tests/support/scratch_folder.h"

#include <functional>
#include <string>
#include <thread>
#include <utility>

namespace batchllm::daemon {

// A running server on a socket of its own, with a function as its handler.
class TestServer final : private HttpHandler {
 public:
  using Function = std::function<HttpResponse(HttpRequest&)>;

  explicit TestServer(Function function, HttpServerSettings settings = {})
      : function_(std::move(function)),
        server_(*this, std::move(settings)) {
    server_.add_unix_listener(path());
    port_ = server_.add_tcp_listener("127.0.0.1", 0);
    thread_ = std::thread([this] { server_.run(); });
  }

  ~TestServer() override { stop(); }

  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // Returns when run() has.
  void stop() {
    server_.stop();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  HttpServer& server() { return server_; }

  std::string path() const { return folder_.path("run/daemon.sock"); }

  int port() const { return port_; }

  RawHttpClient client() const { return RawHttpClient::at_path(path()); }

 private:
  HttpResponse handle(HttpRequest& request) override { return function_(request); }

  ScratchFolder folder_;
  Function function_;
  HttpServer server_;
  int port_ = 0;
  std::thread thread_;
};

// What is between the request line and the empty line, for most tests.
inline std::string get(const std::string& target, const std::string& headers = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

inline std::string post(const std::string& headers, const std::string& body = {}) {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

inline HttpResponse text(std::string body) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

}  // namespace batchllm::daemon
