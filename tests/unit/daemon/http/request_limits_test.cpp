// SPDX-License-Identifier: Apache-2.0
// What a client must not be able to do.
#include "daemon/http/http_server.h"
#include "tests/support/catch.h"
#include "tests/unit/daemon/http/test_server.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>

namespace batchllm::daemon {
namespace {

using std::chrono::milliseconds;

HttpResponse echo(HttpRequest& request) {
  return text(request.read_body(std::size_t{1} << 20));
}

// Sanitizers keep freed memory for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t k_allowance_kib = std::size_t{256} * 1024;
#else
constexpr std::size_t k_allowance_kib = std::size_t{16} * 1024;
#endif

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "VmRSS:") {
      std::size_t kib = 0;
      status >> kib;
      return kib;
    }
  }
  return 0;
}

TEST_CASE("what two readers could understand differently is refused", "[http]") {
  struct Case {
    std::string_view bytes;
    int status;
  };

  const auto& c = GENERATE(values<Case>({
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\nabc", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\nabc", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: a\nY: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a%4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a%u0041 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /?a=%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"G\x01T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET / FTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /\r\nHost: x\r\n\r\n", 400},
      {"\x16\x03\x01\x02\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n", 417},
  }));
  CAPTURE(c.bytes);
  std::atomic<int> handled = 0;
  TestServer server([&](HttpRequest&) {
    ++handled;
    return text("");
  });
  auto client = server.client();
  const auto response = client.ask(std::string(c.bytes) + get("/smuggled"));
  CHECK(response.status == c.status);
  CHECK_THAT(response.body, ContainsSubstring("\"code\":\"usage\""));
  CHECK(client.is_at_end());
  CHECK(handled == 0);
}

TEST_CASE("a NUL byte in the request line is refused", "[http]") {
  TestServer server(echo);
  std::string bytes = get("/a?b");
  bytes[bytes.find('?')] = '\0';
  CHECK(server.client().ask(bytes).status == 400);
}

TEST_CASE("a head has limits, whatever makes it large", "[http]") {
  TestServer server(echo);
  auto client = server.client();
  SECTION("200,000 headers") {
    std::string bytes = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (int i = 0; i < 200'000; ++i) {
      bytes += "X-" + std::to_string(i) + ": y\r\n";
    }
    CHECK_FALSE(client.send(bytes + "\r\n"));
    CHECK(client.receive().status == 431);
  }
  SECTION("101 headers") {
    std::string headers;
    for (int i = 0; i < 100; ++i) {
      headers += "X: y\r\n";
    }
    CHECK(client.ask(get("/", headers)).status == 431);
  }
  SECTION("100 headers are fine") {
    std::string headers;
    for (int i = 0; i < 99; ++i) {
      headers += "X: y\r\n";
    }
    CHECK(client.ask(get("/", headers)).status == 200);
  }
  SECTION("one header of 50 MB") {
    CHECK_FALSE(client.send(get("/", "X: " + std::string(50'000'000, 'x') + "\r\n")));
    CHECK(client.receive().status == 431);
  }
  SECTION("a header of 60 KB is fine") {
    CHECK(client.ask(get("/", "X: " + std::string(60'000, 'x') + "\r\n")).status == 200);
  }
  SECTION("a request line without end") {
    client.send("GET /" + std::string(100'000, 'x'));
    CHECK(client.receive().status == 414);
  }
  SECTION("a request line of 9 KB") {
    CHECK(client.ask(get("/" + std::string(9'000, 'x'))).status == 414);
  }
  SECTION("a request line of 8,000 bytes is fine") {
    CHECK(client.ask(get("/" + std::string(8'000, 'x'))).status == 200);
  }
  SECTION("a Range of thousands of pieces, which a regular expression would match by recursion") {
    std::string ranges = "Range: bytes=0-0";
    for (int i = 0; i < 15'000; ++i) {
      ranges += ",0-0";
    }
    CHECK(client.ask(get("/", ranges + "\r\n")).status == 200);
  }
}

TEST_CASE("a head that trickles in has a deadline, however busy it is", "[http]") {
  HttpServerSettings settings;
  settings.head_deadline = milliseconds(200);
  settings.head_bytes = std::size_t{1} << 30;  // more than can come before the deadline
  TestServer server(echo, settings);
  auto client = server.client();
  client.send("GET / HTTP/1.1\r\nX: ");
  while (client.send("x")) {  // ends only because the server closes
  }
  CHECK(client.receive().status == 408);
}

TEST_CASE("a client that never sends a request is let go", "[http]") {
  HttpServerSettings settings;
  settings.keep_alive = milliseconds(50);
  TestServer server(echo, settings);
  auto silent = server.client();
  CHECK(silent.is_at_end());
  auto used = server.client();
  CHECK(used.ask(get("/")).status == 200);
  CHECK(used.is_at_end());
}

TEST_CASE("a body that stalls has a deadline", "[http]") {
  HttpServerSettings settings;
  settings.transfer_deadline = milliseconds(100);
  TestServer server(echo, settings);
  auto client = server.client();
  const auto response = client.ask(post("Content-Length: 10\r\n", "half"));
  CHECK(response.status == 408);
  CHECK(client.is_at_end());
}

TEST_CASE("a body over the handler's limit is refused when the limit is reached", "[http]") {
  TestServer server(echo);
  const bool is_chunked = GENERATE(false, true);
  const std::string megabyte(std::size_t{1} << 20, 'z');
  auto client = server.client();
  client.send(post(is_chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 67108864\r\n"));
  const auto before = resident_kib();
  std::size_t sent = 0;
  for (; sent < 64 && client.send(is_chunked ? "100000\r\n" + megabyte + "\r\n" : megabyte);
       ++sent) {
  }
  CHECK(sent < 8);
  CHECK(client.receive().status == 413);
  CHECK(resident_kib() < before + k_allowance_kib);
}

TEST_CASE("a malformed chunked body is refused and its connection closed", "[http]") {
  const auto* body = GENERATE("x\r\n",
                              "\r\n",
                              "-1\r\n",
                              "5\nhello\r\n0\r\n\r\n",
                              "3\r\nhello\r\n0\r\n\r\n",
                              "1000000000000000\r\n",
                              "5 garbage\r");
  TestServer server(echo);
  auto client = server.client();
  client.send(post("Transfer-Encoding: chunked\r\n", body));
  ::shutdown(client.descriptor(), SHUT_WR);
  CHECK(client.receive().status == 400);
  CHECK(client.is_at_end());
}

TEST_CASE("chunk extensions and trailers are read over, but not without end", "[http]") {
  TestServer server(echo);
  auto client = server.client();
  CHECK(client
            .ask(post("Transfer-Encoding: chunked\r\n",
                      "3;name=value\r\nabc\r\n00A \r\n0123456789\r\n0\r\nX: y\r\n\r\n"))
            .body == "abc0123456789");
  std::string trailers;
  for (int i = 0; i < 2'000; ++i) {
    trailers += "Trailer: of some bytes\r\n";
  }
  client.send(post("Transfer-Encoding: chunked\r\n", "0\r\n" + trailers));
  CHECK(client.receive().status == 400);
}

TEST_CASE("a small body that nobody read is skipped, a large one ends the connection", "[http]") {
  TestServer server([](HttpRequest& request) { return text(request.path); });
  auto client = server.client();
  CHECK(client.ask(post("Content-Length: 500000\r\n", std::string(500'000, 'x'))).body == "/");
  CHECK(client.ask(get("/next")).body == "/next");
  const auto response = client.ask(post("Content-Length: 5000000\r\n", "beginning"));
  CHECK(response.status == 200);
  CHECK_THAT(response.head, ContainsSubstring("Connection: close\r\n"));
  CHECK(client.is_at_end());
}

TEST_CASE("a client that waits for 100 Continue gets it when the body is read", "[http]") {
  TestServer server([](HttpRequest& request) {
    return text(request.path == "/" ? request.read_body(100) : "not wanted");
  });
  auto client = server.client();
  client.send(post("Expect: 100-continue\r\nContent-Length: 4\r\n"));
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(client.ask("body").body == "body");
  const auto refused = client.ask(
      "POST /no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(refused.body == "not wanted");
  CHECK(client.is_at_end());
}

TEST_CASE("an upload reaches the handler while it is still being sent", "[http]") {
  TestServer server([&](HttpRequest& request) {
    std::size_t bytes = 0;
    request.stream_body([&](std::string_view piece) { bytes += piece.size(); });
    return text(std::to_string(bytes));
  });
  auto client = server.client();
  client.send(post("Transfer-Encoding: chunked\r\n"));
  const std::string piece(100'000, 'x');
  const auto before = resident_kib();
  for (int i = 0; i < 640; ++i) {
    REQUIRE(client.send("186a0\r\n" + piece + "\r\n"));
  }
  CHECK(resident_kib() < before + k_allowance_kib);
  CHECK(client.ask("0\r\n\r\n").body == "64000000");
}

TEST_CASE("clients beyond the most connections are told to come back", "[http]") {
  HttpServerSettings settings;
  settings.connections = 2;
  TestServer server(echo, settings);
  auto first = server.client();
  auto second = server.client();
  REQUIRE(first.ask(get("/")).status == 200);
  REQUIRE(second.ask(get("/")).status == 200);
  auto third = server.client();
  const auto response = third.receive();
  CHECK(response.status == 503);
  CHECK_THAT(response.head, ContainsSubstring("Retry-After: "));
  CHECK(third.is_at_end());
  CHECK(first.ask(get("/")).status == 200);
}

TEST_CASE("another user is refused on the UNIX socket", "[http]") {
  if (::geteuid() != 0) {
    WARN("skipped: only root can become another user");
    return;
  }
  TestServer server(echo);
  // Open to everybody, so that only the look at the peer is left.
  for (std::string path = server.path(); path != "/tmp"; path = path.substr(0, path.rfind('/'))) {
    REQUIRE(::chmod(path.c_str(), 0777) == 0);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_other = ::setgid(65'534) == 0 && ::setuid(65'534) == 0;
    ::_exit(is_other && server.client().ask(get("/")).status == 403 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(server.client().ask(get("/")).status == 200);
}

}  // namespace
}  // namespace batchllm::daemon
