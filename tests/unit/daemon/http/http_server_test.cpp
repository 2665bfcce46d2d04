// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/http_server.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/unit/daemon/http/test_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace batchllm::daemon {
namespace {

TEST_CASE("a handler sees the request's parts and its response arrives", "[http]") {
  TestServer server([](HttpRequest& request) {
    HttpResponse response =
        text(request.method + " " + request.path + " " + request.query("q").value_or("none") + " " +
             std::string(request.header("x-NAME").value_or("none")) + " " + request.read_body(100));
    response.status = 201;
    response.headers.emplace_back("Location", "/there");
    return response;
  });
  auto client = server.client();
  const auto response = client.ask(
      "PUT /a%20b/c?p=1&q=x%3dy=z?+w&q=2 HTTP/1.1\r\nHost: x\r\nX-Name: 100%25\r\n"
      "Content-Length: 4\r\n\r\nbody");
  CHECK(response.status == 201);
  CHECK(response.body == "PUT /a b/c x=y=z? w 100%25 body");
  CHECK_THAT(response.head, ContainsSubstring("Location: /there\r\n"));
  CHECK_THAT(response.head, ContainsSubstring("Content-Type: text/plain\r\n"));
}

TEST_CASE("a connection serves many requests, also over TCP", "[http]") {
  TestServer server([](HttpRequest& request) { return text(request.path); });
  const bool is_tcp = GENERATE(false, true);
  auto client = is_tcp ? RawHttpClient::at_port(server.port()) : server.client();
  for (int i = 0; i < 300; ++i) {
    const std::string path = "/" + std::to_string(i);
    REQUIRE(client.ask(get(path)).body == path);
  }
  CHECK(server.server().connection_count() == 1);
}

TEST_CASE("a server says when the threads of its requests have left, each time", "[http]") {
  std::atomic<int> times = 0;
  HttpServerSettings settings;
  settings.thread_idle_time = std::chrono::milliseconds(1);
  settings.on_quiet = [&] { ++times; };
  TestServer server([](HttpRequest& request) { return text(request.path); }, std::move(settings));
  CHECK(server.client().ask(get("/1")).body == "/1");
  CHECK(eventually([&] { return times == 1; }));
  CHECK(server.client().ask(get("/2")).body == "/2");
  CHECK(eventually([&] { return times == 2; }));
}

TEST_CASE("pipelined requests are answered in order, bodies included", "[http]") {
  TestServer server(
      [](HttpRequest& request) { return text(request.path + request.read_body(100)); });
  auto client = server.client();
  client.send(get("/1") + post("Content-Length: 3\r\n", "two") +
              post("Transfer-Encoding: chunked\r\n", "5\r\nthree\r\n0\r\n\r\n") + get("/4"));
  CHECK(client.receive().body == "/1");
  CHECK(client.receive().body == "/two");
  CHECK(client.receive().body == "/three");
  CHECK(client.receive().body == "/4");
}

TEST_CASE("the peer of a UNIX socket is known by the kernel, not by headers", "[http]") {
  TestServer server([](HttpRequest& request) {
    return text(std::to_string(request.peer.uid.value_or(9)) + " " +
                std::to_string(request.peer.pid) + " " + request.peer.address);
  });
  const auto response = server.client().ask(get("/", "REMOTE_ADDR: 6.6.6.6\r\n"));
  CHECK(response.body == std::to_string(::geteuid()) + " " + std::to_string(::getpid()) + " unix");
}

TEST_CASE("HEAD gets the head of GET and no body", "[http]") {
  TestServer server([](HttpRequest& request) { return text(request.method + " 12345"); });
  auto client = server.client();
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto response = client.receive(true);
  CHECK(response.status == 200);
  CHECK_THAT(response.head, ContainsSubstring("Content-Length: 10\r\n"));
  CHECK(client.ask(get("/")).body == "GET 12345");
}

TEST_CASE("a method nobody knows reaches the handler", "[http]") {
  TestServer server([](HttpRequest& request) {
    HttpResponse response = text(request.method);
    response.status = 405;
    return response;
  });
  const auto response = server.client().ask("BREW / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(response.status == 405);
  CHECK(response.body == "BREW");
}

TEST_CASE("an Error becomes a problem document, any other exception tells nothing", "[http]") {
  TestServer server([](HttpRequest& request) -> HttpResponse {
    if (request.path == "/known") {
      throw Error(ErrorCode::job_not_found, "no job \"x\"", "batchllm jobs list");
    }
    throw std::runtime_error("secret of a foreign library");
  });
  auto client = server.client();
  const auto known = client.ask(get("/known"));
  CHECK(known.status == 404);
  CHECK_THAT(known.head, ContainsSubstring("Content-Type: application/problem+json\r\n"));
  CHECK(known.body ==
        R"({"type":"https://batchllm.dev/problems/job_not_found","title":"Job not found",)"
        R"("status":404,"detail":"no job \"x\"","code":"job_not_found","exit_code":9,)"
        R"("hint":"batchllm jobs list"})");
  const auto unknown = client.ask(get("/unknown"));
  CHECK(unknown.status == 500);
  CHECK(unknown.head.find("secret") == std::string::npos);
  CHECK(unknown.body.find("secret") == std::string::npos);
}

TEST_CASE("a piece of a file is sent as the body", "[http]") {
  ScratchFolder folder;
  const std::string bytes(300'000, 'x');
  const std::string path = folder.write("file", "abc" + bytes + "def");
  TestServer server([&](HttpRequest& request) {
    HttpResponse response;
    response.content_type = "text/csv";
    response.file = FileBody{request.path == "/absent" ? path + "?" : path, 2, bytes.size() + 3};
    return response;
  });
  auto client = server.client();
  CHECK(client.ask(get("/")).body == "c" + bytes + "de");
  CHECK(client.ask(get("/absent")).status == 507);
}

TEST_CASE("a small response leaves in one piece", "[http]") {
  TestServer server([](HttpRequest&) { return text(std::string(2'000, 'x')); });
  auto client = server.client();
  client.send(get("/"));
  // A stream socket of the UNIX family keeps what one send wrote together.
  std::string bytes(10'000, '\0');
  const ssize_t count = ::recv(client.descriptor(), bytes.data(), bytes.size(), 0);
  CHECK(count > 2'000);
}

TEST_CASE("HTTP/1.0 clients are served and closed unless they ask otherwise", "[http]") {
  TestServer server([](HttpRequest&) { return text("hi"); });
  auto client = server.client();
  CHECK(client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").body == "hi");
  CHECK(client.ask("GET / HTTP/1.0\r\n\r\n").body == "hi");
  CHECK(client.is_at_end());
}

TEST_CASE("curl speaks to it", "[http]") {
  TestServer server([](HttpRequest& request) { return text(request.read_body(1 << 20)); });
  const std::string body(200'000, 'y');
  test::ProcessOptions options;
  options.argv = {
      "curl", "-sS", "--fail", "--unix-socket", server.path(), "-T", "-", "http://x/up"};
  options.input = body;
  const auto result = test::Process(options).wait();
  CHECK(result.error_text.empty());
  CHECK(result.output_text == body);
}

}  // namespace
}  // namespace batchllm::daemon
