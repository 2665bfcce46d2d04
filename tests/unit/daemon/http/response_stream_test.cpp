// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/http_server.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/unit/daemon/http/test_server.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

// A source of events as the daemon has one: producers wait for the next, or for their stream's end.
class Ticker {
 public:
  HttpResponse response() {
    HttpResponse response;
    response.content_type = "text/event-stream";
    response.stream = [this](ResponseStream& stream) { return produce(stream); };
    return response;
  }

  void tick() {
    {
      const std::scoped_lock lock(mutex_);
      ++ticks_;
    }
    changed_.notify_all();
  }

  int waiting() const { return waiting_; }

 private:
  bool produce(ResponseStream& stream) {
    ++waiting_;
    stream.write("hello\n");
    std::unique_lock lock(mutex_);
    int seen = 0;
    while (changed_.wait(lock, stream.closed(), [&] { return ticks_ != seen; })) {
      seen = ticks_;
      lock.unlock();
      stream.write("tick " + std::to_string(seen) + "\n");
      lock.lock();
    }
    --waiting_;
    return true;
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  int ticks_ = 0;
  std::atomic<int> waiting_ = 0;
};

TEST_CASE("a stream is written while it runs and ends cleanly", "[http]") {
  TestServer server([](HttpRequest&) {
    HttpResponse response;
    response.content_type = "text/plain";
    response.stream = [](ResponseStream& stream) {
      return stream.write("one") && stream.write("") && stream.write("two") && stream.is_open();
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

TEST_CASE("one event reaches 500 streams", "[http]") {
  Ticker ticker;
  TestServer server([&](HttpRequest&) { return ticker.response(); });
  std::vector<RawHttpClient> clients;
  for (int i = 0; i < 500; ++i) {
    clients.push_back(server.client());
    REQUIRE(clients.back().send(get("/")));
  }
  REQUIRE(eventually([&] { return ticker.waiting() == 500; }));
  ticker.tick();
  for (auto& client : clients) {
    REQUIRE_THAT(client.read_until("tick 1\n"), ContainsSubstring("hello\n"));
  }
}

TEST_CASE("a stream hears at once that its client left", "[http]") {
  Ticker ticker;
  TestServer server([&](HttpRequest&) { return ticker.response(); });
  const bool is_tcp = GENERATE(false, true);
  auto client = is_tcp ? RawHttpClient::at_port(server.port()) : server.client();
  client.send(get("/"));
  client.read_until("hello\n");
  CHECK(ticker.waiting() == 1);
  client.close();
  CHECK(eventually([&] { return ticker.waiting() == 0; }));
  CHECK(eventually([&] { return server.server().connection_count() == 0; }));
}

TEST_CASE("streams beyond the most are told to come back", "[http]") {
  HttpServerSettings settings;
  settings.streams = 1;
  Ticker ticker;
  TestServer server([&](HttpRequest&) { return ticker.response(); }, settings);
  auto first = server.client();
  first.send(get("/"));
  first.read_until("hello\n");
  auto second = server.client();
  const auto refused = second.ask(get("/"));
  CHECK(refused.status == 503);
  CHECK_THAT(refused.head, ContainsSubstring("Retry-After: "));
  first.close();
  CHECK(eventually([&] { return ticker.waiting() == 0; }));
  CHECK(eventually([&] {
    auto third = server.client();
    third.send(get("/"));
    return third.read_until("\n").find("200") != std::string::npos;
  }));
}

TEST_CASE("stopping ends idle connections and streams, and waits for requests", "[http]") {
  Ticker ticker;
  std::atomic<bool> is_in = false;
  std::atomic<bool> may_go = false;
  TestServer server([&](HttpRequest& request) {
    if (request.path == "/stream") {
      return ticker.response();
    }
    is_in = true;
    may_go.wait(false);
    return text("done");
  });
  auto idle = server.client();
  auto half = server.client();
  half.send("GET / HTT");
  auto stream = server.client();
  stream.send(get("/stream"));
  stream.read_until("hello\n");
  auto busy = server.client();
  busy.send(get("/"));
  REQUIRE(eventually([&] { return is_in && server.server().connection_count() == 4; }));

  server.server().stop();
  CHECK(idle.is_at_end());
  CHECK(half.is_at_end());
  CHECK_THAT(stream.read_until("0\r\n\r\n"), ContainsSubstring("0\r\n\r\n"));
  may_go = true;
  may_go.notify_all();
  const auto response = busy.receive();
  CHECK(response.body == "done");
  CHECK_THAT(response.head, ContainsSubstring("Connection: close\r\n"));
  server.stop();
  CHECK(server.server().connection_count() == 0);
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
