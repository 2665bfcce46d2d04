// SPDX-License-Identifier: Apache-2.0
// A job's events as clients read them from the server.
#include "daemon/queue/job_queue.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/unit/daemon/api/api_bench.h"
#include "tests/unit/daemon/http/test_server.h"

#include <memory>
#include <string>

namespace batchllm::daemon {
namespace {

constexpr const char* k_job =
    R"({"input":{"rows":[{"text":"a"}]},"options":{"model":"simulator/any",)"
    R"("base_url":"http://127.0.0.1:1/v1","prompt":"say {text}"}})";

// A job of which many things are told, and a server that does.
class FollowedJob {
 public:
  // Event 1 is there from the beginning; each time adds two.
  void pause_and_resume(int times) {
    bench_.store().write([&](JobTable& jobs) {
      for (int i = 0; i < times; ++i) {
        pause_job(jobs, id_, "user:1");
        resume_job(jobs, id_, {}, "user:1");
      }
    });
  }

  void cancel() {
    bench_.store().write([&](JobTable& jobs) { cancel_job(jobs, id_, "user:1"); });
  }

  void tell_progress(int number) {
    bench_.store().hub().publish_live(id_,
                                      std::make_shared<const std::string>(std::to_string(number)));
  }

  bool is_followed() { return bench_.store().hub().is_watched(id_); }

  // A client who has asked for the events behind number `after`.
  RawHttpClient follow(const std::string& after, const char* version = "1.1") const {
    auto client = server_.client();
    client.send("GET /api/v1/jobs/" + id_ + "/events HTTP/" + version +
                "\r\nHost: x\r\nAccept: text/event-stream\r\nLast-Event-ID: " + after + "\r\n\r\n");
    return client;
  }

 private:
  ApiBench bench_;
  std::string id_ = bench_.ask("POST", "/jobs", k_job).at(".id");
  TestServer server_{[this](HttpRequest& request) { return bench_.handle(request); }};
};

// The numbers of the events in `text` are first, first + 1, … last.
bool has_events(const std::string& text, int first, int last) {
  std::size_t at = 0;
  for (int number = first; number <= last; ++number) {
    at = text.find("\nid: ", at);
    if (at == std::string::npos || std::stoi(text.substr(at + 5)) != number) {
      return false;
    }
    ++at;
  }
  return text.find("\nid: ", at) == std::string::npos;
}

TEST_CASE("a client gets a backlog of many pages once and in order, and then what happens",
          "[event_feed]") {
  FollowedJob job;
  job.pause_and_resume(750);
  auto client = job.follow("1");
  const std::string stored = client.read_until("id: 1501\n");
  CHECK_THAT(stored, ContainsSubstring("retry: 2000\n"));
  CHECK(has_events(stored, 2, 1501));
  job.pause_and_resume(1);
  CHECK(has_events(client.read_until("id: 1503\n"), 1502, 1503));
  job.cancel();
  const std::string end = client.read_until("\r\n0\r\n\r\n");
  CHECK(has_events(end, 1504, 1504));
  CHECK_THAT(end, ContainsSubstring("event: job.cancelled\n"));
  CHECK_THAT(end, ContainsSubstring("\r\n0\r\n\r\n"));
  CHECK(client.is_at_end());
  CHECK(eventually([&] { return !job.is_followed(); }));
}

TEST_CASE("a client that follows an ended job gets its events and the end", "[event_feed]") {
  FollowedJob job;
  job.pause_and_resume(750);
  job.cancel();
  auto client = job.follow("0");
  const auto response = client.receive();
  CHECK(has_events("\n" + response.body, 1, 1502));
  CHECK(client.is_at_end());
  auto old = job.follow("1500", "1.0");
  CHECK_THAT(old.read_until("\r\n\r\n"), !ContainsSubstring("Transfer-Encoding"));
  CHECK(has_events("\n" + old.read_until("no such bytes"), 1501, 1502));
  auto late = job.follow("1502");
  CHECK(late.receive().status == 204);
}

TEST_CASE("a client that reads late misses no event, and of how far the job is gets the latest",
          "[event_feed]") {
  constexpr int k_times = 3'000;
  FollowedJob job;
  job.pause_and_resume(k_times);
  auto client = job.follow("0");
  REQUIRE(eventually([&] { return job.is_followed(); }));
  for (int number = 0; number < 1'000; ++number) {
    job.tell_progress(number);
  }
  job.pause_and_resume(100);
  const int last = 1 + 2 * (k_times + 100);
  const std::string text = client.read_until("\nid: " + std::to_string(last) + "\n");
  CHECK(has_events("\n" + text, 1, last));
  const std::string now = text + client.read_until("data: 999\n");
  CHECK(now.find("event: progress\n") == now.rfind("event: progress\n"));
  CHECK_THAT(now, ContainsSubstring("event: progress\ndata: 999\n"));
}

TEST_CASE("who follows from a number that is yet to come waits for it", "[event_feed]") {
  FollowedJob job;
  auto client = job.follow("3");
  REQUIRE(eventually([&] { return job.is_followed(); }));
  job.pause_and_resume(2);
  CHECK(has_events(client.read_until("id: 5\n"), 4, 5));
}

}  // namespace
}  // namespace batchllm::daemon
