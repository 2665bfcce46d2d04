// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "daemon/http/http_server.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"
#include "tests/unit/daemon/http/test_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace batchllm::daemon {
namespace {

class Silent final : public HttpHandler {
 public:
  HttpResponse handle(HttpRequest&) override { return {}; }
};

int bound_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return descriptor;
}

mode_t mode_of(const std::string& path) {
  struct stat found {};

  REQUIRE(::lstat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

TEST_CASE("the socket and the folder made for it are for its user only", "[http]") {
  TestServer server([](HttpRequest&) { return text(""); });
  CHECK(mode_of(server.path()) == 0600);
  CHECK(mode_of(server.path().substr(0, server.path().rfind('/'))) == 0700);
  server.stop();
  CHECK(::access(server.path().c_str(), F_OK) != 0);
}

TEST_CASE("the place of a socket whose process is gone is taken", "[http]") {
  ScratchFolder folder;
  Silent handler;
  const std::string path = folder.path("daemon.sock");
  ::close(bound_socket(path));
  HttpServer server(handler);
  CHECK_FALSE(thrown_error([&] { server.add_unix_listener(path); }));
}

TEST_CASE("a second server is refused as long as the first one lives", "[http]") {
  ScratchFolder folder;
  Silent handler;
  const std::string path = folder.path("daemon.sock");
  {
    HttpServer first(handler);
    first.add_unix_listener(path);
    HttpServer second(handler);
    const auto error = thrown_error([&] { second.add_unix_listener(path); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::daemon_running);
    CHECK_THAT(error->message(), ContainsSubstring(path));
  }
  HttpServer third(handler);
  CHECK_FALSE(thrown_error([&] { third.add_unix_listener(path); }));
}

TEST_CASE("a program without our lock that listens there keeps its socket", "[http]") {
  ScratchFolder folder;
  Silent handler;
  const std::string path = folder.path("daemon.sock");
  const FileHandle other(bound_socket(path));
  REQUIRE(::listen(other.get(), 1) == 0);
  HttpServer server(handler);
  const auto error = thrown_error([&] { server.add_unix_listener(path); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::daemon_running);
}

TEST_CASE("what is not a socket is never removed", "[http]") {
  ScratchFolder folder;
  Silent handler;
  const std::string path = folder.write("precious", "data");
  HttpServer server(handler);
  const auto error = thrown_error([&] { server.add_unix_listener(path); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  CHECK(folder.read("precious") == "data");
}

TEST_CASE("a path that no socket address holds is refused", "[http]") {
  ScratchFolder folder;
  Silent handler;
  HttpServer server(handler);
  const auto error =
      thrown_error([&] { server.add_unix_listener(folder.path(std::string(120, 'x'))); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
}

TEST_CASE("TCP is served on loopback only, and a port once", "[http]") {
  Silent handler;
  HttpServer server(handler);
  const auto outside = thrown_error([&] { server.add_tcp_listener("0.0.0.0", 0); });
  REQUIRE(outside);
  CHECK(outside->code() == ErrorCode::usage);
  const int port = server.add_tcp_listener("localhost", 0);
  CHECK(port > 0);
  const auto taken = thrown_error([&] { server.add_tcp_listener("127.0.0.1", port); });
  REQUIRE(taken);
  CHECK(taken->code() == ErrorCode::daemon_running);
}

TEST_CASE("a listening socket of the service manager is served", "[http]") {
  class Hello final : public HttpHandler {
   public:
    HttpResponse handle(HttpRequest&) override { return text("hello"); }
  } handler;

  ScratchFolder folder;
  const std::string path = folder.path("activated.sock");
  const int descriptor = bound_socket(path);
  REQUIRE(::listen(descriptor, 8) == 0);
  auto early = RawHttpClient::at_path(path);  // what woke the service
  early.send(get("/"));
  HttpServer server(handler);
  server.adopt_listener(descriptor);
  std::thread thread([&] { server.run(); });
  CHECK(early.receive().body == "hello");
  server.stop();
  thread.join();
  CHECK(::access(path.c_str(), F_OK) == 0);  // it belongs to the manager
}

TEST_CASE("a descriptor that does not listen for this machine is not adopted", "[http]") {
  Silent handler;
  HttpServer server(handler);
  sockaddr_in everywhere{};
  everywhere.sin_family = AF_INET;
  const int outside = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(::bind(outside, reinterpret_cast<sockaddr*>(&everywhere), sizeof everywhere) == 0);
  REQUIRE(::listen(outside, 1) == 0);
  for (const int descriptor : {outside, ::socket(AF_UNIX, SOCK_STREAM, 0), ::dup(0)}) {
    const auto error = thrown_error([&] { server.adopt_listener(descriptor); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::usage);
  }
}

}  // namespace
}  // namespace batchllm::daemon
