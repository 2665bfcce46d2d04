// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_client.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/raw_http_server.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <fmt/format.h>

#include <functional>
#include <mutex>
#include <vector>

using namespace batchllm;

namespace {

using Then = RawReply::Then;

constexpr std::string_view k_version =
    R"({"name":"batchllmd","version":"0.1.0","api_version":"1.2"})";

std::string reply(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
                     status,
                     type,
                     body.size(),
                     body);
}

std::string json(std::string_view body) {
  return reply("200 OK", "application/json; charset=utf-8", body);
}

// A daemon on a UNIX socket that tells its version and leaves everything else to the test.
class Daemon {
 public:
  explicit Daemon(RawHttpServer::Script script, std::string version = json(k_version))
      : server(
            [script = std::move(script), version = std::move(version), this](
                const RawRequest& request) {
              if (request.head.starts_with("GET /version ")) {
                return RawReply{version, Then::keep};
              }
              note(request);
              return script(request);
            },
            folder.path("d.sock")) {}

  DaemonClientSettings settings() const {
    DaemonClientSettings settings;
    settings.address = "unix:" + folder.path("d.sock");
    return settings;
  }

  // What was asked so far, but for the version. Any thread.
  std::vector<RawRequest> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  ScratchFolder folder;

 private:
  void note(const RawRequest& request) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(request);
  }

  mutable std::mutex mutex_;
  std::vector<RawRequest> seen_;

 public:
  RawHttpServer server;  // the first to go: it notes until then
};

RawHttpServer::Script always(std::string bytes, Then then = Then::keep) {
  return [bytes = std::move(bytes), then](const RawRequest&) { return RawReply{bytes, then}; };
}

std::string header_of(const RawRequest& request, const std::string& name) {
  const auto at = request.head.find("\r\n" + name + ": ");
  if (at == std::string::npos) {
    return {};
  }
  const auto start = at + name.size() + 4;
  return request.head.substr(start, request.head.find("\r\n", start) - start);
}

std::string events(std::string_view text) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
      "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n",
      text.size(),
      text);
}

std::string whole_events(std::string_view text) {
  return events(text) + "0\r\n\r\n";
}

}  // namespace

TEST_CASE("answers of the daemon are JSON", "[daemon_client]") {
  Daemon daemon(always(json(R"({"items":[{"id":"job_1"}],"next_cursor":null})")));
  DaemonClient client(daemon.settings());
  CHECK(client.is_running());
  CHECK(client.server_version() == "0.1.0");
  const JsonNode list = client.get("/jobs", {{"tag", "a:b c"}, {"state", ""}, {"limit", "5"}});
  CHECK(list.find("items")->items()[0].find_string("id") == "job_1");
  CHECK_THAT(daemon.seen().at(0).head,
             ContainsSubstring("GET /api/v1/jobs?tag=a%3Ab%20c&limit=5 HTTP/1.1\r\n"));
  CHECK(daemon.server.connections() == 1);
}

TEST_CASE("a request says what it sends, and a POST can be repeated", "[daemon_client]") {
  Daemon daemon(always("HTTP/1.1 204 No Content\r\n\r\n"));
  DaemonClient client(daemon.settings());
  CHECK(client.post("/jobs", "{\"a\":1}").is_null());
  client.post("/jobs", "{}");
  client.post("/jobs", "{}", "mine");
  client.patch("/jobs/1", "{\"b\":2}");
  client.del("/jobs/1");
  const auto seen = daemon.seen();
  REQUIRE(seen.size() == 5);
  CHECK(seen[0].body == "{\"a\":1}");
  CHECK(header_of(seen[0], "Content-Type") == "application/json");
  CHECK(header_of(seen[0], "Idempotency-Key").size() == 32);
  CHECK(header_of(seen[0], "Idempotency-Key") != header_of(seen[1], "Idempotency-Key"));
  CHECK(header_of(seen[2], "Idempotency-Key") == "mine");
  CHECK_THAT(seen[3].head, ContainsSubstring("PATCH /api/v1/jobs/1 HTTP/1.1"));
  CHECK(seen[3].body == "{\"b\":2}");
  CHECK_THAT(seen[4].head, ContainsSubstring("DELETE /api/v1/jobs/1 HTTP/1.1"));
}

TEST_CASE("what people typed stays one part of a path", "[daemon_client]") {
  CHECK(url_path({"jobs", "job_1", "events"}) == "/jobs/job_1/events");
  CHECK(url_path({"jobs", "../a b?c#d%"}) == "/jobs/..%2Fa%20b%3Fc%23d%25");
  CHECK(thrown_error([] { url_path({"jobs", ""}); })->code() == ErrorCode::usage);
}

TEST_CASE("a problem document becomes the error that it names", "[daemon_client]") {
  struct Case {
    std::string document;
    ErrorCode code;
    std::string message;
    std::string hint;
  };

  const auto& c = GENERATE(values<Case>({
      {R"({"title":"t","detail":"no job_9","code":"job_not_found","hint":"see: batchllm jobs list"})",
       ErrorCode::job_not_found,
       "no job_9",
       "see: batchllm jobs list"},
      {R"({"title":"only a title","code":"storage_full"})",
       ErrorCode::storage_full,
       "only a title",
       ""},
      {R"({"detail":"new","code":"of_tomorrow","exit_code":10})",
       ErrorCode::output_exists,
       "new",
       ""},
      {R"({"detail":"new","code":"of_tomorrow","exit_code":77})", ErrorCode::internal, "new", ""},
      {R"({"detail":"\u001b[2Jx","code":"usage"})", ErrorCode::usage, "[2Jx", ""},
      {R"({"code":"usage"})", ErrorCode::usage, "the daemon answered 400", ""},
  }));
  CAPTURE(c.document);
  Daemon daemon(always(reply("400 Bad", "application/problem+json", c.document)));
  DaemonClient client(daemon.settings());
  const auto error = thrown_error([&] { client.get("/jobs/job_9"); });
  REQUIRE(error.has_value());
  CHECK(error->code() == c.code);
  CHECK(error->message() == c.message);
  CHECK(error->hint() == c.hint);
}

TEST_CASE("the details of a problem come along", "[daemon_client]") {
  Daemon daemon(always(reply("409 Conflict",
                             "application/problem+json",
                             R"({"detail":"d","code":"usage","details":{"key":"k","n":[1, 2]}})")));
  DaemonClient client(daemon.settings());
  const auto error = thrown_error([&] { client.post("/jobs", "{}"); });
  REQUIRE(error.has_value());
  CHECK(error->details() ==
        std::vector<std::pair<std::string, std::string>>{{"key", "k"}, {"n", "[1,2]"}});
}

TEST_CASE("nobody listening is told with what to do", "[daemon_client]") {
  const ScratchFolder folder;
  DaemonClientSettings settings;
  settings.address = "unix:" + folder.path("none.sock");
  DaemonClient client(settings);
  CHECK_FALSE(client.is_running());
  const auto error = thrown_error([&] { client.get("/jobs"); });
  REQUIRE(error.has_value());
  CHECK(error->code() == ErrorCode::daemon_unreachable);
  CHECK(error->message() == "cannot reach the daemon at unix:" + folder.path("none.sock") +
                                ": No such file or directory");
  CHECK(error->hint() == "batchllm daemon start");
}

TEST_CASE("an address that is none is refused", "[daemon_client]") {
  DaemonClientSettings settings;
  settings.address = "ftp://h";
  const auto error = thrown_error([&] { DaemonClient{settings}; });
  CHECK(error->code() == ErrorCode::usage);
  CHECK_THAT(error->message(), ContainsSubstring("--host ftp://h: expected unix:PATH"));
}

TEST_CASE("another server, or another API, is not spoken to", "[daemon_client]") {
  const std::string version = GENERATE(values<std::string>({
      json(R"({"name":"batchllmd","version":"9.0.0","api_version":"2"})"),
      json(R"({"name":"batchllmd","version":"0.1.0"})"),
      json(R"({"name":"other","version":"0.1.0","api_version":1})"),
      json("[]"),
      json("{"),
      reply("200 OK", "text/html", "<html>"),
      reply("404 Not Found", "text/plain", "no"),
      reply("302 Found", "text/plain", ""),
  }));
  CAPTURE(version);
  Daemon daemon(always(json("{}")), version);
  DaemonClient client(daemon.settings());
  for (const auto& ask : std::vector<std::function<void()>>{[&] { client.get("/jobs"); },
                                                            [&] { client.is_running(); }}) {
    const auto error = thrown_error(ask);
    REQUIRE(error.has_value());
    CHECK(error->code() == ErrorCode::daemon_unreachable);
    CHECK(error->details().at(0) == std::pair<std::string, std::string>("reason", "incompatible"));
  }
  CHECK(daemon.seen().empty());
}

TEST_CASE("an answer that is not the daemon's is told", "[daemon_client]") {
  const std::string bytes = GENERATE(values<std::string>({
      reply("200 OK", "text/html", "<html>"),
      reply("500 No", "text/html", "<html>"),
      reply("500 No", "application/problem+json", "{}"),
      json("{\"a\":"),
  }));
  CAPTURE(bytes);
  Daemon daemon(always(bytes));
  DaemonClient client(daemon.settings());
  CHECK(thrown_error([&] { client.get("/jobs"); })->code() == ErrorCode::daemon_unreachable);
}

TEST_CASE("a file is uploaded under its name", "[daemon_client]") {
  Daemon daemon(always(json(R"({"id":"file_1"})")));
  DaemonClient client(daemon.settings());
  const std::string text(200'000, 'x');
  const std::string path = daemon.folder.write("my rows.csv", text);
  CHECK(client.upload(path, "text/csv").find_string("id") == "file_1");
  const auto seen = daemon.seen();
  REQUIRE(seen.size() == 1);
  CHECK_THAT(seen[0].head, ContainsSubstring("POST /api/v1/files?name=my%20rows.csv HTTP/1.1"));
  CHECK(header_of(seen[0], "Content-Type") == "text/csv");
  CHECK(seen[0].body == text);

  CHECK(thrown_error([&] { client.upload(daemon.folder.path("none")); })->code() ==
        ErrorCode::input_missing);
  CHECK(thrown_error([&] { client.upload(daemon.folder.path()); })->code() ==
        ErrorCode::input_unreadable);
}

TEST_CASE("a large answer is handed on piece by piece, a refusal is thrown", "[daemon_client]") {
  Daemon daemon([](const RawRequest& request) {
    return RawReply{request.head.find("?format=csv ") != std::string::npos
                        ? reply("200 OK", "text/csv", "a,b\n")
                        : reply("400 No", "application/problem+json", R"({"code":"usage"})"),
                    Then::keep};
  });
  DaemonClient client(daemon.settings());
  std::string got;
  const auto take = [&got](std::string_view piece) {
    got += piece;
    return true;
  };
  client.download("/jobs/1/results/export", {{"format", "csv"}}, take);
  CHECK(got == "a,b\n");
  CHECK(thrown_error([&] { client.download("/x", {}, take); })->code() == ErrorCode::usage);
  CHECK(got == "a,b\n");
}

TEST_CASE("events are followed over breaks from the last one seen", "[daemon_client]") {
  Daemon daemon([n = 0](const RawRequest&) mutable {
    switch (++n) {
      case 1:  // broken in the middle of an event
        return RawReply{events("retry: 1\n\nid: 6\ndata: six\n\nid: 7\ndata: se"), Then::close};
      case 2:  // not ready again yet
        return RawReply{reply("503 No", "application/problem+json", R"({"code":"internal"})"),
                        Then::keep};
      case 3:  // ended by the server
        return RawReply{whole_events("id: 7\nevent: state\ndata: seven\n\n"), Then::keep};
      default:
        return RawReply{"HTTP/1.1 204 No Content\r\n\r\n", Then::keep};
    }
  });
  DaemonClient client(daemon.settings());
  std::vector<std::string> got;
  client.watch_events("/jobs/1/events", "5", [&got](const SseEvent& event) {
    got.push_back(event.type + " " + event.data);
    return true;
  });
  CHECK(got == std::vector<std::string>{"message six", "state seven"});
  const auto seen = daemon.seen();
  REQUIRE(seen.size() == 4);
  CHECK(header_of(seen[0], "Last-Event-ID") == "5");
  CHECK(header_of(seen[0], "Accept") == "text/event-stream");
  CHECK(header_of(seen[1], "Last-Event-ID") == "6");
  CHECK(header_of(seen[2], "Last-Event-ID") == "6");
  CHECK(header_of(seen[3], "Last-Event-ID") == "7");
}

TEST_CASE("following events ends when their reader has enough", "[daemon_client]") {
  Daemon daemon(always(events("data: 1\n\ndata: 2\n\ndata: 3\n\n"), Then::hang));
  DaemonClient client(daemon.settings());
  int got = 0;
  client.watch_events("/jobs/1/events", "", [&got](const SseEvent&) { return ++got < 2; });
  CHECK(got == 2);
  CHECK(header_of(daemon.seen().at(0), "Last-Event-ID").empty());
}

TEST_CASE("a stop ends the wait for an event", "[daemon_client]") {
  Daemon daemon(always(events("data: 1\n\n"), Then::hang));
  std::stop_source source;
  DaemonClientSettings settings = daemon.settings();
  settings.stop = source.get_token();
  DaemonClient client(settings);
  const auto error = thrown_error([&] {
    client.watch_events("/jobs/1/events", "", [&source](const SseEvent&) {
      source.request_stop();
      return true;
    });
  });
  REQUIRE(error.has_value());
  CHECK(error->code() == ErrorCode::interrupted);
}

TEST_CASE("a daemon that does not come back is given up", "[daemon_client]") {
  Daemon daemon([n = 0](const RawRequest&) mutable {
    return ++n == 1 ? RawReply{events("retry: 1\ndata: 1\n\n"), Then::close}
                    : RawReply{"", Then::close};
  });
  DaemonClientSettings settings = daemon.settings();
  settings.patience = Milliseconds(500);
  DaemonClient client(settings);
  const auto error = thrown_error(
      [&] { client.watch_events("/jobs/1/events", "", [](const SseEvent&) { return true; }); });
  REQUIRE(error.has_value());
  CHECK(error->code() == ErrorCode::daemon_unreachable);
  CHECK(daemon.seen().size() > 2);
}

TEST_CASE("a job that is not there has no events", "[daemon_client]") {
  Daemon daemon(always(reply("404 No", "application/problem+json", R"({"code":"job_not_found"})")));
  DaemonClient client(daemon.settings());
  CHECK(thrown_error([&] {
          client.watch_events("/jobs/1/events", "", [](const SseEvent&) { return true; });
        })->code() == ErrorCode::job_not_found);
}
