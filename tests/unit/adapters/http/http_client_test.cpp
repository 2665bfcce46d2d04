// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/http_client.h"

#include "tests/support/catch.h"
#include "tests/support/raw_http_server.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

using namespace batchllm;

namespace {

using Then = RawReply::Then;

HttpClient client_of(const RawHttpServer& server) {
  HttpClientSettings settings;
  settings.server = *parse_server_address(server.url());
  settings.bearer_token = "secret";
  return HttpClient(settings);
}

HttpClientRequest request(std::string method, std::string target, std::string_view body = {}) {
  HttpClientRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.body = body;
  return request;
}

RawHttpServer::Script always(std::string bytes, Then then = Then::keep) {
  return [bytes = std::move(bytes), then](const RawRequest&) { return RawReply{bytes, then}; };
}

RawReply echo(const RawRequest& request) {
  return {RawHttpServer::ok(request.head + request.body), Then::keep};
}

BodyReader reader_of(std::string text) {
  return [text = std::move(text), at = std::size_t{0}](std::span<char> buffer) mutable {
    const std::size_t count = text.copy(buffer.data(), std::min<std::size_t>(buffer.size(), 5), at);
    at += count;
    return count;
  };
}

}  // namespace

TEST_CASE("an address of a server is a socket or a host", "[http_client]") {
  CHECK(parse_server_address("unix:/run/d.sock")->unix_socket == "/run/d.sock");
  CHECK(parse_server_address("unix:///run/d.sock")->unix_socket == "/run/d.sock");
  CHECK(parse_server_address("http://127.0.0.1:8420/")->origin == "http://127.0.0.1:8420");
  CHECK(parse_server_address("https://[::1]:1")->origin == "https://[::1]:1");
  CHECK(shown_address(*parse_server_address("unix:///run/d.sock")) == "unix:/run/d.sock");
  for (const char* text : {"",
                           "unix:",
                           "127.0.0.1:8420",
                           "ftp://h",
                           "http://",
                           "http://:80",
                           "http://h/path",
                           "http://h?q",
                           "http://u:p@h",
                           "http://h h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_server_address(text).has_value());
  }
  CHECK_FALSE(parse_server_address("unix:/" + std::string(107, 'x')).has_value());
}

TEST_CASE("requests of all methods go over one connection", "[http_client]") {
  RawHttpServer server(echo);
  HttpClient client = client_of(server);
  for (const char* method : {"GET", "POST", "PATCH", "PUT", "DELETE"}) {
    CAPTURE(method);
    HttpClientRequest asked = request(method, "/a/../b?c=%20d", "");
    asked.headers = {{"X-Name", "value"}, {"X-Empty", ""}};
    const auto response = client.send(asked);
    CHECK(response.status == 200);
    CHECK(response.is_ok());
    CHECK_THAT(response.body,
               ContainsSubstring(method + std::string(" /a/../b?c=%20d HTTP/1.1\r\n")));
    CHECK_THAT(response.body, ContainsSubstring("\r\nAuthorization: Bearer secret\r\n"));
    CHECK_THAT(response.body, ContainsSubstring("\r\nX-Name: value\r\n"));
    CHECK_THAT(response.body, ContainsSubstring("\r\nX-Empty:"));
    CHECK(response.body.find("Content-Type") == std::string::npos);
  }
  CHECK_THAT(client.send(request("POST", "/", "text")).body, ContainsSubstring("\r\n\r\ntext"));
  CHECK(client.send(request("HEAD", "/")).status == 200);
}

TEST_CASE("a client speaks over a UNIX socket", "[http_client]") {
  const ScratchFolder folder;
  RawHttpServer server(echo, folder.path("d.sock"));
  HttpClientSettings settings;
  settings.server = *parse_server_address("unix:" + folder.path("d.sock"));
  HttpClient client(settings);
  CHECK(client.send(request("GET", "/one")).status == 200);
  CHECK_THAT(client.send(request("GET", "/two")).body, ContainsSubstring("GET /two HTTP/1.1"));
  CHECK(server.connections() == 1);
}

TEST_CASE("a missing socket and a refused connection are told apart", "[http_client]") {
  const ScratchFolder folder;
  HttpClientSettings settings;
  settings.server = *parse_server_address("unix:" + folder.path("none.sock"));
  auto response = HttpClient(settings).send(request("GET", "/"));
  CHECK(response.failure == TransportFailure::not_connected);
  CHECK(response.system_error == ENOENT);
  CHECK(response.failure_text == std::strerror(ENOENT));
  { RawHttpServer left(echo, folder.path("left.sock")); }
  settings.server = *parse_server_address("unix:" + folder.path("left.sock"));
  response = HttpClient(settings).send(request("GET", "/"));
  CHECK(response.failure == TransportFailure::not_connected);
  CHECK(response.system_error == ECONNREFUSED);
}

TEST_CASE("bodies are streamed to the server, with and without a known length", "[http_client]") {
  RawHttpServer server(echo);
  HttpClient client = client_of(server);
  HttpClientRequest known = request("PUT", "/");
  known.reader = reader_of("twelve bytes");
  known.body_bytes = 12;
  const auto sized = client.send(known);
  CHECK_THAT(sized.body, ContainsSubstring("Content-Length: 12\r\n"));
  CHECK_THAT(sized.body, ContainsSubstring("\r\n\r\ntwelve bytes"));

  HttpClientRequest unknown = request("POST", "/");
  unknown.reader = reader_of("hello");
  CHECK_THAT(client.send(unknown).body, ContainsSubstring("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));

  HttpClientRequest shrunk = request("PUT", "/");
  shrunk.reader = reader_of("short");
  shrunk.body_bytes = 6;
  CHECK(client.send(shrunk).failure_text == "the body of the request ended before its length");

  HttpClientRequest throwing = request("PUT", "/");
  throwing.reader = [](std::span<char>) -> std::size_t { throw std::runtime_error("disk"); };
  CHECK_THROWS_WITH(client.send(throwing), "disk");
}

TEST_CASE("an answer is streamed until its reader has enough", "[http_client]") {
  RawHttpServer server(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\none\r\n3\r\ntwo\r\n",
             Then::hang));
  HttpClient client = client_of(server);
  std::string got;
  HttpClientRequest asked = request("GET", "/");
  asked.consumer = [&got](std::string_view piece) {
    got += piece;
    return got.size() < 6;
  };
  const auto response = client.send(asked);
  CHECK(got == "onetwo");
  CHECK(response.stopped);
  CHECK(response.failure == TransportFailure::none);
  CHECK(response.status == 200);
  CHECK(response.body.empty());

  asked.consumer = [](std::string_view) -> bool { throw std::runtime_error("full"); };
  CHECK_THROWS_WITH(client.send(asked), "full");
}

TEST_CASE("the body of a refusal is kept and not streamed", "[http_client]") {
  RawHttpServer server(
      always("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
             "HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 2\r\n\r\nno"));
  HttpClient client = client_of(server);
  HttpClientRequest asked = request("GET", "/");
  asked.consumer = [](std::string_view) { return false; };
  const auto response = client.send(asked);
  CHECK(response.status == 302);
  CHECK(response.body == "no");
  CHECK(response.header("location") == "/else");
  CHECK(response.header("x-interim").empty());
  CHECK(server.requests() == 1);
}

TEST_CASE("an answer that is larger than wanted fails", "[http_client]") {
  RawHttpServer server(always(RawHttpServer::ok(std::string(1000, 'x'))));
  HttpClient client = client_of(server);
  HttpClientRequest asked = request("GET", "/");
  asked.max_body_bytes = 999;
  CHECK(client.send(asked).failure == TransportFailure::too_large);
  asked.max_body_bytes = 1000;
  CHECK(client.send(asked).body.size() == 1000);
}

TEST_CASE("a silent server is given up", "[http_client]") {
  RawHttpServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome", Then::hang));
  HttpClient client = client_of(server);
  HttpClientRequest idle = request("GET", "/");
  idle.idle_timeout = Milliseconds(50);
  CHECK(client.send(idle).failure == TransportFailure::timeout);
  HttpClientRequest late = request("GET", "/");
  late.timeout = Milliseconds(50);
  CHECK(client.send(late).failure == TransportFailure::timeout);
}

TEST_CASE("a stop ends a transfer that waits", "[http_client]") {
  RawHttpServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome", Then::hang));
  HttpClient client = client_of(server);
  std::stop_source source;
  HttpClientRequest asked = request("GET", "/");
  asked.stop = source.get_token();
  std::jthread stopper;
  asked.consumer = [&](std::string_view) {
    stopper = std::jthread([&source] { source.request_stop(); });
    return true;
  };
  const auto response = client.send(asked);
  CHECK(response.stopped);
  CHECK(response.failure == TransportFailure::none);
}

TEST_CASE("only what may be repeated is sent again when a kept connection breaks",
          "[http_client]") {
  struct Case {
    std::string method;
    HttpHeaders headers;
    bool answered;
  };

  const auto& c = GENERATE(values<Case>({
      {"GET", {}, true},
      {"DELETE", {}, true},
      {"POST", {}, false},
      {"POST", {{"idempotency-key", "k"}}, true},
      {"PATCH", {}, false},
  }));
  CAPTURE(c.method);
  RawHttpServer server([](const RawRequest& asked) {
    return asked.on_connection == 2 ? RawReply{"", Then::close}
                                    : RawReply{RawHttpServer::ok("yes"), Then::keep};
  });
  HttpClient client = client_of(server);
  REQUIRE(client.send(request("GET", "/")).status == 200);
  HttpClientRequest asked = request(c.method, "/", c.method == "POST" ? "x" : "");
  asked.headers = c.headers;
  const auto response = client.send(asked);
  CHECK(response.is_ok() == c.answered);
  CHECK(response.failure == (c.answered ? TransportFailure::none : TransportFailure::broken));
  CHECK(server.requests() == (c.answered ? 3 : 2));
}

TEST_CASE("what would break a request is refused before it is sent", "[http_client]") {
  RawHttpServer server(echo);
  HttpClient client = client_of(server);
  for (const char* target : {"", "jobs", "/a b", "/a\r\nX: y", "/a#b", "/\xC3\xA9"}) {
    CAPTURE(target);
    CHECK(thrown_error([&] { client.send(request("GET", target)); })->code() == ErrorCode::usage);
  }
  HttpClientRequest split = request("GET", "/");
  split.headers = {{"X-Name", "a\r\nX-Other: b"}};
  CHECK(thrown_error([&] { client.send(split); })->code() == ErrorCode::usage);
  HttpClientSettings settings;
  settings.bearer_token = "a b";
  CHECK(thrown_error([&] { HttpClient{settings}; })->code() == ErrorCode::usage);
  CHECK(server.requests() == 0);
}
