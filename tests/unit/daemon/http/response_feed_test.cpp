// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/http_server.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/unit/daemon/http/test_server.h"

#include <atomic>
#include <filesystem>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace batchllm::daemon {
namespace {

using namespace std::chrono_literals;

HttpResponse response_of(FeedSource source) {
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.feed = std::move(source);
  return response;
}

// What happens, as the daemon's events: feeds say hello and then each tick from their beginning on.
class Ticker {
 public:
  HttpResponse response() {
    return response_of([this](auto news) { return std::make_unique<Feed>(*this, news); });
  }

  void tick() {
    const std::scoped_lock lock(mutex_);
    ++ticks_;
    for (const auto& [feed, news] : feeds_) {
      news();
    }
  }

  std::size_t feeds() const {
    const std::scoped_lock lock(mutex_);
    return feeds_.size();
  }

 private:
  class Feed final : public ResponseFeed {
   public:
    Feed(Ticker& ticker, const std::function<void()>& news) : ticker_(ticker) {
      const std::scoped_lock lock(ticker_.mutex_);
      ticker_.feeds_[this] = news;
      seen_ = ticker_.ticks_;
    }

    ~Feed() override {
      const std::scoped_lock lock(ticker_.mutex_);
      ticker_.feeds_.erase(this);
    }

    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    Next write(std::string& out) override {
      const std::scoped_lock lock(ticker_.mutex_);
      if (!std::exchange(has_greeted_, true)) {
        out += "hello\n";
      }
      while (seen_ < ticker_.ticks_) {
        out += "tick " + std::to_string(++seen_) + "\n";
      }
      return Next::when_news;
    }

    std::string_view sign_of_life() const override { return "alive\n"; }

   private:
    Ticker& ticker_;
    bool has_greeted_ = false;
    int seen_ = 0;
  };

  mutable std::mutex mutex_;
  std::map<const Feed*, std::function<void()>> feeds_;
  int ticks_ = 0;
};

// Says so many numbered pages, one after the other, and ends.
class Pages final : public ResponseFeed {
 public:
  static constexpr int k_for_ever = -1;

  Pages(int count, std::atomic<int>& asked) : left_(count), asked_(asked) {}

  static std::string page(int number) {
    return std::string(10'000, 'x') + " " + std::to_string(number) + "\n";
  }

  static std::string all(int count) {
    std::string text;
    for (int number = 0; number < count; ++number) {
      text += page(number);
    }
    return text;
  }

  Next write(std::string& out) override {
    ++asked_;
    out += page(said_++);
    return said_ == left_ ? Next::never : Next::at_once;
  }

  std::string_view sign_of_life() const override { return "alive\n"; }

 private:
  const int left_;
  std::atomic<int>& asked_;
  int said_ = 0;
};

HttpResponse pages(int count, std::atomic<int>& asked) {
  return response_of([count, &asked](auto) { return std::make_unique<Pages>(count, asked); });
}

// Fails when it is begun, or when it is to go on.
HttpResponse failing(bool at_once) {
  class Failing final : public ResponseFeed {
   public:
    Next write(std::string& out) override {
      if (std::exchange(has_written_, true)) {
        throw std::runtime_error("the disk is gone");
      }
      out += "part";
      return Next::at_once;
    }

    std::string_view sign_of_life() const override { return ""; }

   private:
    bool has_written_ = false;
  };

  return response_of([at_once](auto) -> std::unique_ptr<ResponseFeed> {
    if (at_once) {
      throw std::runtime_error("the disk is gone");
    }
    return std::make_unique<Failing>();
  });
}

std::size_t threads_of_this_process() {
  namespace fs = std::filesystem;
  const fs::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(fs::begin(tasks), fs::end(tasks)));
}

RawHttpClient client_of(const TestServer& server, bool is_tcp) {
  return is_tcp ? RawHttpClient::at_port(server.port()) : server.client();
}

TEST_CASE("what a feed says is one response, however much it is", "[http][feed]") {
  const int count = GENERATE(1, 1'000);
  const bool is_tcp = GENERATE(false, true);
  std::atomic<int> asked = 0;
  TestServer server([&](HttpRequest&) { return pages(count, asked); });
  auto client = client_of(server, is_tcp);
  const auto response = client.ask(get("/"));
  CHECK_THAT(response.head, ContainsSubstring("Transfer-Encoding: chunked\r\n"));
  CHECK_THAT(response.head, ContainsSubstring("Connection: close\r\n"));
  CHECK(response.body == Pages::all(count));
  CHECK(client.is_at_end());
  CHECK(eventually([&] { return server.server().connection_count() == 0; }));
}

TEST_CASE("a feed's end is the connection's for a client of HTTP/1.0", "[http][feed]") {
  std::atomic<int> asked = 0;
  TestServer server([&](HttpRequest&) { return pages(200, asked); });
  auto client = server.client();
  client.send("GET / HTTP/1.0\r\n\r\n");
  const std::string head = client.read_until("\r\n\r\n");
  CHECK_THAT(head, ContainsSubstring("Connection: close\r\n"));
  CHECK_THAT(head, !ContainsSubstring("Transfer-Encoding"));
  CHECK(client.read_until("no such bytes") == Pages::all(200));
}

TEST_CASE("a HEAD request has the head of a feed and begins none", "[http][feed]") {
  Ticker ticker;
  HttpServerSettings settings;
  settings.streams = 1;
  TestServer server([&](HttpRequest&) { return ticker.response(); }, settings);
  auto client = server.client();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"));
    const auto response = client.receive(true);
    CHECK(response.status == 200);
    CHECK_THAT(response.head, ContainsSubstring("Content-Type: text/event-stream\r\n"));
  }
  CHECK(ticker.feeds() == 0);
}

TEST_CASE("a feed that fails is cut, so that the client does not take it for whole",
          "[http][feed]") {
  const bool at_once = GENERATE(false, true);
  TestServer server([&](HttpRequest&) { return failing(at_once); });
  auto client = server.client();
  client.send(get("/"));
  CHECK_THAT(client.read_until("0\r\n\r\n"), !ContainsSubstring("0\r\n\r\n"));
  CHECK(eventually([&] { return server.server().connection_count() == 0; }));
}

TEST_CASE("one event reaches 500 clients, who wait without a thread", "[http][feed]") {
  Ticker ticker;
  TestServer server([&](HttpRequest&) { return ticker.response(); });
  std::vector<RawHttpClient> clients;
  for (int i = 0; i < 500; ++i) {
    clients.push_back(server.client());
    REQUIRE(clients.back().send(get("/")));
  }
  REQUIRE(eventually([&] { return ticker.feeds() == 500; }));
  CHECK(eventually([] { return threads_of_this_process() < 50; }));
  CHECK(server.server().connection_count() == 500);
  ticker.tick();
  for (auto& client : clients) {
    REQUIRE_THAT(client.read_until("tick 1\n"), ContainsSubstring("hello\n"));
  }
}

TEST_CASE("a feed ends at once when its client leaves", "[http][feed]") {
  Ticker ticker;
  TestServer server([&](HttpRequest&) { return ticker.response(); });
  const bool is_tcp = GENERATE(false, true);
  auto client = client_of(server, is_tcp);
  client.send(get("/"));
  client.read_until("hello\n");
  CHECK(ticker.feeds() == 1);
  client.close();
  CHECK(eventually([&] { return ticker.feeds() == 0; }));
  CHECK(eventually([&] { return server.server().connection_count() == 0; }));
}

TEST_CASE("clients of feeds come, hear and leave while things happen", "[http][feed]") {
  Ticker ticker;
  TestServer server([&](HttpRequest&) { return ticker.response(); });
  {
    const std::jthread clock([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        ticker.tick();
        std::this_thread::yield();
      }
    });
    for (int i = 0; i < 200; ++i) {
      auto client = client_of(server, i % 2 == 0);
      REQUIRE(client.send(get("/")));
      if (i % 3 != 0) {
        REQUIRE_THAT(client.read_until("tick "), ContainsSubstring("hello\n"));
        REQUIRE_THAT(client.read_until("tick "), ContainsSubstring("tick "));
      }
    }
  }
  CHECK(eventually([&] { return ticker.feeds() == 0; }));
}

TEST_CASE("feeds beyond the most streams are told to come back", "[http][feed]") {
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
  CHECK(eventually([&] { return ticker.feeds() == 0; }));
  CHECK(eventually([&] {
    auto third = server.client();
    third.send(get("/"));
    return third.read_until("\n").find("200") != std::string::npos;
  }));
}

TEST_CASE("who waits gets signs of life", "[http][feed]") {
  HttpServerSettings settings;
  settings.pulse = 10ms;
  Ticker ticker;
  TestServer server([&](HttpRequest&) { return ticker.response(); }, settings);
  for (const char* request : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    auto client = server.client();
    client.send(request);
    client.read_until("hello\n");
    CHECK_THAT(client.read_until("alive\n"), ContainsSubstring("alive\n"));
    CHECK_THAT(client.read_until("alive\n"), ContainsSubstring("alive\n"));
    ticker.tick();
    CHECK_THAT(client.read_until("tick "), ContainsSubstring("tick "));
  }
}

TEST_CASE("a client that reads nothing is not asked for, and holds up nobody", "[http][feed]") {
  constexpr int k_many = 5'000;
  const bool is_tcp = GENERATE(false, true);
  std::atomic<int> asked = 0;
  std::atomic<int> others = 0;
  TestServer server([&](HttpRequest& request) {
    return request.path == "/slow" ? pages(k_many, asked) : pages(k_many, others);
  });
  auto slow = client_of(server, is_tcp);
  slow.send(get("/slow"));
  REQUIRE(eventually([&] { return asked > 0; }));
  auto quick = client_of(server, is_tcp);
  CHECK(quick.ask(get("/quick")).body.size() == Pages::all(k_many).size());
  CHECK(asked < k_many);  // what the sockets hold
  CHECK(slow.receive().body == Pages::all(k_many));
  CHECK(asked == k_many);
}

TEST_CASE("a client that takes nothing within the deadline is dropped", "[http][feed]") {
  HttpServerSettings settings;
  settings.transfer_deadline = 100ms;
  const bool is_tcp = GENERATE(false, true);
  std::atomic<int> asked = 0;
  Ticker ticker;
  TestServer server(
      [&](HttpRequest& request) {
        return request.path == "/" ? pages(Pages::k_for_ever, asked) : ticker.response();
      },
      settings);
  auto waiting = server.client();
  waiting.send(get("/ticks"));
  waiting.read_until("hello\n");
  auto client = client_of(server, is_tcp);
  client.send(get("/"));
  REQUIRE(eventually([&] { return asked > 0; }));
  CHECK(eventually([&] { return server.server().connection_count() == 1; }));
  CHECK_FALSE(client.read_until("\r\n0\r\n\r\n").ends_with("\r\n0\r\n\r\n"));
  ticker.tick();  // who has nothing to take is not late
  CHECK_THAT(waiting.read_until("tick 1\n"), ContainsSubstring("tick 1\n"));
}

TEST_CASE("stopping ends idle connections and feeds, and waits for requests", "[http][feed]") {
  Ticker ticker;
  std::atomic<bool> is_in = false;
  std::atomic<bool> may_go = false;
  TestServer server([&](HttpRequest& request) {
    if (request.path == "/feed") {
      return ticker.response();
    }
    is_in = true;
    may_go.wait(false);
    return text("done");
  });
  auto idle = server.client();
  auto half = server.client();
  half.send("GET / HTT");
  auto feed = server.client();
  feed.send(get("/feed"));
  feed.read_until("hello\n");
  auto busy = server.client();
  busy.send(get("/"));
  REQUIRE(eventually([&] { return is_in && server.server().connection_count() == 4; }));

  server.server().stop();
  CHECK(idle.is_at_end());
  CHECK(half.is_at_end());
  CHECK_THAT(feed.read_until("0\r\n\r\n"), ContainsSubstring("0\r\n\r\n"));
  may_go = true;
  may_go.notify_all();
  const auto response = busy.receive();
  CHECK(response.body == "done");
  CHECK_THAT(response.head, ContainsSubstring("Connection: close\r\n"));
  server.stop();
  CHECK(server.server().connection_count() == 0);
}

TEST_CASE("stopping does not wait for who takes nothing, and says what there is to the others",
          "[http][feed]") {
  Ticker ticker;
  std::atomic<int> asked = 0;
  TestServer server([&](HttpRequest& request) {
    return request.path == "/ticks" ? ticker.response()
                                    : pages(request.path == "/" ? Pages::k_for_ever : 5'000, asked);
  });
  auto stalled = server.client();
  stalled.send(get("/"));
  REQUIRE(eventually([&] { return asked > 0; }));
  server.client().ask(get("/many"));  // meanwhile the other had as many turns
  auto waiting = server.client();
  waiting.send(get("/ticks"));
  waiting.read_until("hello\n");
  ticker.tick();
  server.stop();
  CHECK(server.server().connection_count() == 0);
  CHECK(ticker.feeds() == 0);
  CHECK_THAT(waiting.read_until("\r\n0\r\n\r\n"), ContainsSubstring("tick 1\n"));
  CHECK_FALSE(stalled.read_until("\r\n0\r\n\r\n").ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("a feed that is asked for while the server stops ends", "[http][feed]") {
  Ticker ticker;
  std::atomic<bool> is_in = false;
  std::atomic<bool> may_go = false;
  TestServer server([&](HttpRequest&) {
    is_in = true;
    may_go.wait(false);
    return ticker.response();
  });
  auto feed = server.client();
  auto idle = server.client();
  feed.send(get("/"));
  REQUIRE(eventually([&] { return is_in && server.server().connection_count() == 2; }));
  server.server().stop();
  CHECK(idle.is_at_end());
  may_go = true;
  may_go.notify_all();
  server.stop();
  CHECK(ticker.feeds() == 0);
  CHECK_THAT(feed.read_until("0\r\n\r\n"), ContainsSubstring("0\r\n\r\n"));
}

}  // namespace
}  // namespace batchllm::daemon
