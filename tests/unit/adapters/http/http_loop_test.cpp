// SPDX-License-Identifier: Apache-2.0
// The HTTP client against a server that sends whatever a test wants.
#include "adapters/http/http_loop.h"

#include "adapters/http/curl_handle.h"
#include "tests/support/catch.h"
#include "tests/support/raw_http_server.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace batchllm;

namespace {

using Then = RawReply::Then;

// What came back for one request.
struct Ended {
  TransportFailure failure = TransportFailure::none;
  int status = 0;
  std::string body;
  std::string failure_text;
  HttpResponse response;
};

// Sends bodies, so many at once, and collects what comes back, each under the number of its body.
class Sender final : public TransportUser {
 public:
  Sender(Transport& transport,
         std::vector<std::string> bodies,
         std::size_t at_once,
         Milliseconds timeout)
      : ended(bodies.size()),
        transport_(transport),
        bodies_(std::move(bodies)),
        at_once_(at_once),
        timeout_(timeout) {}

  void on_response(void* token, HttpResponse& response) override {
    Ended& end = ended[reinterpret_cast<std::size_t>(token)];
    end.failure = response.failure;
    end.status = response.status;
    end.body = response.text();
    end.failure_text = response.failure_text;
    end.response = response;
    end.response.body = nullptr;
    --in_flight_;
    ++count_;
  }

  std::optional<TimePoint> on_turn(TimePoint /*now*/) override {
    while (next_ < bodies_.size() &&
           in_flight_ < std::min(at_once_, transport_.capacity(next_ % endpoints))) {
      ++in_flight_;
      transport_.post(next_ % endpoints, bodies_[next_], timeout_, reinterpret_cast<void*>(next_));
      ++next_;
    }
    return std::nullopt;
  }

  bool is_finished() const override { return count_ == bodies_.size(); }

  std::vector<Ended> ended;
  std::size_t endpoints = 1;  // asked in turn

 private:
  Transport& transport_;
  std::vector<std::string> bodies_;
  std::size_t at_once_;
  Milliseconds timeout_;
  std::size_t next_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t count_ = 0;
};

HttpLoopSettings settings_for(const RawHttpServer& server, std::size_t capacity = 8) {
  HttpLoopSettings settings;
  settings.endpoints.resize(1);
  settings.endpoints.front().url = server.url();
  settings.capacity = capacity;
  return settings;
}

std::vector<Ended> send(Transport& transport,
                        std::vector<std::string> bodies,
                        std::size_t at_once = 1,
                        Milliseconds timeout = Milliseconds(20'000)) {
  Sender sender(transport, std::move(bodies), at_once, timeout);
  transport.run(sender);
  return std::move(sender.ended);
}

Ended send_one(RawHttpServer& server, Milliseconds timeout = Milliseconds(20'000)) {
  const auto loop = make_http_loop(settings_for(server));
  return send(*loop, {"body"}, 1, timeout).at(0);
}

RawHttpServer::Script always(std::string bytes, Then then = Then::keep) {
  return [bytes = std::move(bytes), then](const RawRequest&) { return RawReply{bytes, then}; };
}

}  // namespace

TEST_CASE("requests arrive whole, with their headers, over one kept-alive connection", "[http]") {
  std::vector<RawRequest> seen;
  RawHttpServer server([&seen](const RawRequest& request) {
    seen.push_back(request);
    return RawReply{RawHttpServer::ok("re: " + request.body), Then::keep};
  });
  HttpLoopSettings settings = settings_for(server);
  settings.endpoints.front().headers = {{"Authorization", "Bearer k"},
                                        {"Content-Type", "application/json"}};
  const auto loop = make_http_loop(settings);
  const std::string large(3'000'000, 'x');
  const auto ended = send(*loop, {"one", "", large, "four"});
  CHECK(ended[0].body == "re: one");
  CHECK(ended[1].body == "re: ");
  CHECK(ended[2].body == "re: " + large);
  CHECK(ended[3].status == 200);
  CHECK(server.connections() == 1);
  REQUIRE(seen.size() == 4);
  CHECK_THAT(seen[0].head, ContainsSubstring("POST / HTTP/1.1\r\n"));
  CHECK_THAT(seen[0].head, ContainsSubstring("Authorization: Bearer k\r\n"));
  CHECK(seen[2].head.find("Expect") == std::string::npos);
}

TEST_CASE("a request is signed when it is sent, for its own body", "[http]") {
  std::vector<RawRequest> seen;
  RawHttpServer server([&seen](const RawRequest& request) {
    seen.push_back(request);
    return RawReply{RawHttpServer::ok("ok"), Then::keep};
  });
  HttpLoopSettings settings = settings_for(server, 1);
  settings.endpoints.front().headers = {{"Content-Type", "application/json"}};
  settings.endpoints.front().sign = [](std::string_view body) {
    return HeaderFields{{"Authorization", "sum " + std::to_string(body.size())}};
  };
  const auto loop = make_http_loop(settings);
  send(*loop, {"one", "", "three"});
  REQUIRE(seen.size() == 3);
  CHECK_THAT(seen[0].head, ContainsSubstring("Authorization: sum 3\r\n"));
  CHECK_THAT(seen[1].head, ContainsSubstring("Authorization: sum 0\r\n"));
  CHECK_THAT(seen[2].head, ContainsSubstring("Authorization: sum 5\r\n"));
  CHECK_THAT(seen[2].head, ContainsSubstring("Content-Type: application/json\r\n"));
  CHECK(seen[2].head.find("sum 3") == std::string::npos);
  CHECK(seen[2].head.find("Expect") == std::string::npos);
}

TEST_CASE("responses are read however they are framed", "[http]") {
  struct Case {
    std::string bytes;
    Then then;
    int status;
    std::string body;
  };

  for (const auto& c : std::vector<Case>{
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
            "chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
            Then::keep,
            200,
            "abcd"},
           {"HTTP/1.1 200 OK\r\n\r\nuntil the end", Then::close, 200, "until the end"},
           {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", Then::close, 200, "ok"},
           {"HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\n" + RawHttpServer::ok("x"),
            Then::keep,
            200,
            "x"},
           {"HTTP/1.1 204 No Content\r\n\r\n", Then::keep, 204, ""},
           {"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", Then::keep, 503, "busy"},
           {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            Then::keep,
            302,
            ""},
           {RawHttpServer::ok(std::string("\0\xff", 2)), Then::keep, 200, std::string("\0\xff", 2)},
       }) {
    RawHttpServer server(always(c.bytes, c.then));
    CAPTURE(c.bytes);
    const Ended ended = send_one(server);
    CHECK(ended.failure == TransportFailure::none);
    CHECK(ended.status == c.status);
    CHECK(ended.body == c.body);
    CHECK_FALSE(ended.response.retry_after_ms);  // what an interim response said does not count
    CHECK(server.requests() == 1);
  }
}

TEST_CASE("broken responses are reported, and the request was sent once", "[http]") {
  struct Case {
    std::string bytes;
    Then then;
  };

  for (const auto& c : std::vector<Case>{
           {"", Then::close},
           {"", Then::reset},
           {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Then::close},
           {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Then::reset},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Then::close},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
            Then::close},
           {"SSH-2.0-OpenSSH_9.2\r\n", Then::close},
           {"\0\1\2\3garbage", Then::close},
       }) {
    RawHttpServer server(always(c.bytes, c.then));
    CAPTURE(c.bytes);
    const Ended ended = send_one(server);
    CHECK(ended.failure == TransportFailure::broken);
    CHECK(ended.status == 0);
    CHECK_FALSE(ended.failure_text.empty());
    CHECK(server.requests() == 1);
  }
}

TEST_CASE("a request that broke on a reused connection is reported, never sent again unasked",
          "[http]") {
  for (const Then then : {Then::close, Then::reset}) {
    RawHttpServer server([then](const RawRequest& request) {
      return request.on_connection == 1 ? RawReply{RawHttpServer::ok("x"), Then::keep}
                                        : RawReply{"", then};
    });
    const auto loop = make_http_loop(settings_for(server));
    const auto ended = send(*loop, {"1", "2", "3"});
    CHECK(ended[0].failure == TransportFailure::none);
    CHECK(ended[1].failure == TransportFailure::broken);
    CHECK(ended[2].failure == TransportFailure::none);  // a new connection
    CHECK(server.requests() == 3);
  }
}

TEST_CASE("a connection that the server closed between two requests is no failure", "[http]") {
  RawHttpServer server(always(RawHttpServer::ok("x", "Connection: close\r\n"), Then::close));
  const auto loop = make_http_loop(settings_for(server));
  for (const auto& ended : send(*loop, {"1", "2", "3"})) {
    CHECK(ended.failure == TransportFailure::none);
  }
  CHECK(server.requests() == 3);
  CHECK(server.connections() == 3);
}

TEST_CASE("nobody listens: nothing was sent", "[http]") {
  HttpLoopSettings settings;
  settings.endpoints.resize(1);
  {
    RawHttpServer gone(always(""));
    settings.endpoints.front().url = gone.url();
  }
  const auto loop = make_http_loop(settings);
  const auto ended = send(*loop, {"1", "2", "3"}, 3);
  for (const auto& end : ended) {
    CHECK(end.failure == TransportFailure::not_connected);
    CHECK_FALSE(end.failure_text.empty());
  }
  settings.endpoints.front().url = "http://no.such.host.invalid/";
  CHECK(send(*make_http_loop(settings), {"1"}).at(0).failure == TransportFailure::not_connected);
}

TEST_CASE("a silent or slow server is given up after the timeout", "[http]") {
  for (const char* bytes :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"}) {
    RawHttpServer server(always(bytes, Then::hang));
    CAPTURE(bytes);
    const Ended ended = send_one(server, Milliseconds(150));
    CHECK(ended.failure == TransportFailure::timeout);
    CHECK(server.requests() == 1);
  }
}

TEST_CASE("headers of any size are borne, and those that matter are read", "[http]") {
  RawHttpServer server(always(RawHttpServer::ok(
      "x",
      "X-Filler: " + std::string(60'000, 'f') + "\r\nretry-after: 3\r\nx-request-id: r1\r\n")));
  const Ended ended = send_one(server);
  CHECK(ended.failure == TransportFailure::none);
  CHECK(ended.response.retry_after_ms == 3000);
  CHECK(ended.response.request_id == "r1");

  RawHttpServer endless(
      always("HTTP/1.1 200 OK\r\nX: " + std::string(3'000'000, 'f'), Then::close));
  CHECK(send_one(endless).failure != TransportFailure::none);
}

TEST_CASE("a body above the limit is cut off, whatever it announces", "[http]") {
  for (const std::string& bytes : {RawHttpServer::ok(std::string(1001, 'x')),
                                   "HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x')}) {
    RawHttpServer server(always(bytes, Then::close));
    HttpLoopSettings settings = settings_for(server);
    settings.max_response_bytes = 1000;
    const auto loop = make_http_loop(settings);
    CHECK(send(*loop, {"1"}).at(0).failure == TransportFailure::too_large);
  }
  RawHttpServer server(always(RawHttpServer::ok(std::string(1000, 'x'))));
  HttpLoopSettings settings = settings_for(server);
  settings.max_response_bytes = 1000;
  CHECK(send(*make_http_loop(settings), {"1"}).at(0).body.size() == 1000);
}

TEST_CASE("what one response said does not stick to the next", "[http]") {
  RawHttpServer server([](const RawRequest& request) {
    return RawReply{request.number == 1
                        ? "HTTP/1.1 429 No\r\nRetry-After: 5\r\nContent-Length: 3\r\n\r\nabc"
                        : RawHttpServer::ok(""),
                    Then::keep};
  });
  const auto loop = make_http_loop(settings_for(server));
  const auto ended = send(*loop, {"1", "2"});
  CHECK(ended[0].response.retry_after_ms == 5000);
  CHECK_FALSE(ended[1].response.retry_after_ms);
  CHECK(ended[1].body.empty());
}

TEST_CASE("many at once, each with its own answer", "[http]") {
  RawHttpServer server([](const RawRequest& request) {
    return RawReply{RawHttpServer::ok("re: " + request.body), Then::keep};
  });
  const auto loop = make_http_loop(settings_for(server, 100));  // two multi handles
  std::vector<std::string> bodies;
  for (int i = 0; i < 1000; ++i) {
    bodies.push_back("body " + std::to_string(i));
  }
  const auto ended = send(*loop, bodies, 100);
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    if (ended[i].body != "re: " + bodies[i]) {
      CAPTURE(i, ended[i].body, ended[i].failure_text);
      FAIL("a wrong answer");
    }
  }
  CHECK(server.requests() == 1000);
  CHECK(server.connections() <= 100);
}

TEST_CASE("a UNIX socket serves as well", "[http]") {
  const ScratchFolder folder;
  RawHttpServer server(always(RawHttpServer::ok("x")), folder.path("s"));
  HttpLoopSettings settings;
  settings.endpoints.resize(1);
  settings.endpoints.front().url = "http://localhost/v1";
  settings.endpoints.front().unix_socket = folder.path("s");
  CHECK(send(*make_http_loop(settings), {"1", "2"}).at(1).body == "x");
  settings.endpoints.front().unix_socket = folder.path("none");
  CHECK(send(*make_http_loop(settings), {"1"}).at(0).failure == TransportFailure::not_connected);
}

TEST_CASE("endpoints are asked side by side, each at its own address and with its own headers",
          "[http]") {
  const ScratchFolder folder;
  const auto answering = [](const std::string& name) {
    return [name](const RawRequest& request) {
      const bool has_key = request.head.find("X-Key: " + name) != std::string::npos;
      return RawReply{RawHttpServer::ok(has_key ? name + " " + request.body : "whose key?"),
                      Then::keep};
    };
  };
  RawHttpServer first(answering("one"));
  RawHttpServer second(answering("two"), folder.path("s"));
  HttpLoopSettings settings = settings_for(first, 2);
  settings.endpoints.resize(3);
  settings.endpoints[0].headers = {{"X-Key", "one"}};
  settings.endpoints[1].url = "http://localhost/v1";
  settings.endpoints[1].unix_socket = folder.path("s");
  settings.endpoints[1].headers = {{"X-Key", "two"}};
  settings.endpoints[1].sign = [](std::string_view body) {
    return HeaderFields{{"X-Sum", std::to_string(body.size())}};
  };
  settings.endpoints[2].url = "http://localhost/";
  settings.endpoints[2].unix_socket = folder.path("none");
  const auto loop = make_http_loop(settings);
  Sender sender(*loop, {"a", "b", "c", "d", "e", "f"}, 6, Milliseconds(20'000));
  sender.endpoints = 3;
  loop->run(sender);
  CHECK(sender.ended[0].body == "one a");
  CHECK(sender.ended[1].body == "two b");
  CHECK(sender.ended[2].failure == TransportFailure::not_connected);
  CHECK(sender.ended[3].body == "one d");
  CHECK(sender.ended[4].body == "two e");
  CHECK(sender.ended[5].failure == TransportFailure::not_connected);
  CHECK(first.requests() == 2);
  CHECK(second.requests() == 2);
}

TEST_CASE("an endpoint that does not answer holds up no other", "[http]") {
  RawHttpServer silent([](const RawRequest&) { return RawReply{"", Then::hang}; });
  RawHttpServer quick(always(RawHttpServer::ok("quick")));
  HttpLoopSettings settings = settings_for(quick, 1);
  settings.endpoints.emplace_back().url = silent.url();
  const auto loop = make_http_loop(settings);
  loop->post(1, "never", Milliseconds(60'000), nullptr);
  for (const auto& ended : send(*loop, {"1", "2", "3"})) {
    CHECK(ended.body == "quick");
  }
  CHECK(quick.requests() == 3);
}

TEST_CASE("wake makes another thread's wish heard", "[http]") {
  class Waiter final : public TransportUser {
   public:
    void on_response(void* /*token*/, HttpResponse& /*response*/) override {}

    std::optional<TimePoint> on_turn(TimePoint /*now*/) override { return std::nullopt; }

    bool is_finished() const override { return done; }

    std::atomic<bool> done{false};
  };

  RawHttpServer server(always(""));
  const auto loop = make_http_loop(settings_for(server));
  Waiter waiter;
  std::thread other([&] {
    waiter.done = true;
    loop->wake();
  });
  loop->run(waiter);
  other.join();
  CHECK(waiter.done);
}

TEST_CASE("what is abandoned is not heard of again, and the client goes on", "[http]") {
  RawHttpServer server([](const RawRequest& request) {
    return request.body == "hang" ? RawReply{"", Then::hang}
                                  : RawReply{RawHttpServer::ok(request.body), Then::keep};
  });
  const auto loop = make_http_loop(settings_for(server));
  loop->post(0, "hang", Milliseconds(20'000), nullptr);
  CHECK(send(*loop, {"a"}, 1).at(0).body == "a");
  loop->abandon_all();
  CHECK(send(*loop, {"b"}, 1).at(0).body == "b");
}

TEST_CASE("a certificate file that is not there is refused at once", "[http]") {
  HttpLoopSettings settings;
  settings.endpoints.resize(1);
  settings.endpoints.front().url = "https://127.0.0.1:1/";
  settings.endpoints.front().ca_file = "/none.pem";
  CHECK(thrown_error([&] { make_http_loop(settings); })->code() == ErrorCode::usage);
}

TEST_CASE("libcurl's errors say whether a request may have arrived", "[http]") {
  struct Case {
    CURLcode code;
    TransportFailure before;
    TransportFailure after;
  };

  using enum TransportFailure;
  for (const auto& c : std::vector<Case>{{CURLE_OK, none, none},
                                         {CURLE_COULDNT_RESOLVE_HOST, not_connected, not_connected},
                                         {CURLE_COULDNT_CONNECT, not_connected, not_connected},
                                         {CURLE_PEER_FAILED_VERIFICATION, tls, tls},
                                         {CURLE_SSL_CONNECT_ERROR, not_connected, not_connected},
                                         {CURLE_OPERATION_TIMEDOUT, not_connected, timeout},
                                         {CURLE_GOT_NOTHING, not_connected, broken},
                                         {CURLE_RECV_ERROR, not_connected, broken},
                                         {CURLE_SEND_ERROR, not_connected, broken},
                                         {CURLE_PARTIAL_FILE, not_connected, broken},
                                         {CURLE_ABORTED_BY_CALLBACK, not_connected, broken},
                                         {CURLE_WRITE_ERROR, too_large, too_large}}) {
    CAPTURE(static_cast<int>(c.code));
    CHECK(transport_failure(c.code, false) == c.before);
    CHECK(transport_failure(c.code, true) == c.after);
  }
}
