// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/http_server.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/unit/daemon/http/test_server.h"

#include <atomic>
#include <stdexcept>
#include <string>

namespace batchllm::daemon {
namespace {

TEST_CASE("a stream is written while it runs and ends cleanly", "[http]") {
  TestServer server([](HttpRequest&) {
    HttpResponse response;
    response.content_type = "text/plain";
    response.stream = [](ResponseStream& stream) {
      return stream.write("one") && stream.write("") && stream.write("two");
    };
    return response;
  });
  auto client = server.client();
  const auto response = client.ask(get("/"));
  CHECK(response.body == "onetwo");
  CHECK_THAT(response.head, ContainsSubstring("Transfer-Encoding: chunked\r\n"));
  CHECK(client.ask(get("/")).body == "onetwo");
  client.send("GET / HTTP/1.0\r\n\r\n");
  CHECK_THAT(client.read_until("onetwo"), ContainsSubstring("Connection: close\r\n"));
  CHECK(client.is_at_end());
}

TEST_CASE("a stream that fails is cut, so that the client does not take it for whole", "[http]") {
  const bool throws = GENERATE(false, true);
  TestServer server([&](HttpRequest&) {
    HttpResponse response;
    response.content_type = "text/plain";
    response.stream = [&](ResponseStream& stream) {
      stream.write("part");
      if (throws) {
        throw std::runtime_error("the disk is gone");
      }
      return false;
    };
    return response;
  });
  auto client = server.client();
  client.send(get("/"));
  client.read_until("part\r\n");
  CHECK(client.read_until("0\r\n\r\n").empty());
}

TEST_CASE("stopping does not wait for a client that reads nothing", "[http]") {
  std::atomic<bool> is_in = false;
  TestServer server([&](HttpRequest&) {
    HttpResponse response;
    response.content_type = "text/plain";
    response.stream = [&](ResponseStream& stream) {
      const std::string piece(1'000'000, 'x');
      is_in = true;
      while (stream.write(piece)) {
      }
      return false;
    };
    return response;
  });
  auto client = server.client();
  client.send(get("/"));
  REQUIRE(eventually([&] { return is_in.load(); }));
  server.stop();
  CHECK(server.server().connection_count() == 0);
}

TEST_CASE("a request that does not end within the deadline loses its connection", "[http]") {
  HttpServerSettings settings;
  settings.drain_deadline = std::chrono::milliseconds(50);
  TestServer server([&](HttpRequest& request) { return text(request.read_body(1'000)); }, settings);
  auto client = server.client();
  client.send(post("Expect: 100-continue\r\nContent-Length: 10\r\n"));
  REQUIRE(client.receive().status == 100);
  server.stop();
  CHECK(server.server().connection_count() == 0);
}

}  // namespace
}  // namespace batchllm::daemon
