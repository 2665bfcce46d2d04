// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/event_hub.h"

#include "daemon/queue/event_reader.h"
#include "tests/support/catch.h"
#include "tests/support/queue_database.h"

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace batchllm::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto k_long = 60s;  // a test that waits so long has failed
constexpr auto k_now = 0ms;

std::shared_ptr<const std::string> text(std::int64_t number) {
  return std::make_shared<const std::string>(std::to_string(number));
}

TEST_CASE("a job is watched as long as somebody does", "[event_hub]") {
  EventHub hub;
  CHECK_FALSE(hub.is_watched("a"));
  {
    const EventHub::Watch first(hub, "a");
    {
      const EventHub::Watch second(hub, "a");
      CHECK(hub.is_watched("a"));
    }
    CHECK(hub.is_watched("a"));
    CHECK_FALSE(hub.is_watched("b"));
  }
  CHECK_FALSE(hub.is_watched("a"));
}

TEST_CASE("a watcher gets each event once, in order, and none of other jobs", "[event_hub]") {
  EventHub hub;
  EventHub::Watch watch(hub, "a");
  hub.publish("a", 5, text(5));
  hub.publish("b", 1, text(-1));
  hub.publish("a", 6, text(6));
  CHECK(*watch.wait(4, k_long).event == "5");
  CHECK(*watch.wait(5, k_long).event == "6");
  const auto nothing = watch.wait(6, k_now);
  CHECK_FALSE(nothing.event);
  CHECK_FALSE(nothing.live);
  CHECK_FALSE(nothing.look_it_up);
}

TEST_CASE("a watcher that is too far behind is sent to the database", "[event_hub]") {
  EventHub hub;
  EventHub::Watch watch(hub, "a");
  hub.publish("a", 5, text(5));
  CHECK(watch.wait(3, k_long).look_it_up);
  for (std::int64_t seq = 6; seq <= 500; ++seq) {
    hub.publish("a", seq, text(seq));
  }
  CHECK(watch.wait(5, k_long).look_it_up);
  CHECK(*watch.wait(499, k_long).event == "500");
}

TEST_CASE("what happens now is told once and is behind the events", "[event_hub]") {
  EventHub hub;
  EventHub::Watch watch(hub, "a");
  hub.publish_live("a", text(1));
  hub.publish_live("a", text(2));
  hub.publish("a", 1, text(10));
  CHECK(*watch.wait(0, k_long).event == "10");
  CHECK(*watch.wait(1, k_long).live == "2");
  CHECK_FALSE(watch.wait(1, k_now).live);
  hub.publish_live("nobody", text(3));
}

TEST_CASE("shutting down ends a wait that is under way and all to come", "[event_hub]") {
  EventHub hub;
  EventHub::Watch watch(hub, "a");
  std::thread waiter([&] { CHECK_FALSE(watch.wait(0, k_long).event); });
  hub.shut_down();
  waiter.join();
  hub.publish("a", 1, text(1));
  CHECK_FALSE(watch.wait(0, k_long).event);
  CHECK(*watch.look(0).event == "1");  // what was published is not lost to those who only look
}

TEST_CASE("who does not wait is told once of whatever comes until the next look", "[event_hub]") {
  EventHub hub;
  int told = 0;
  EventHub::Watch watch(hub, "a", [&told] { ++told; });
  hub.publish("b", 1, text(1));
  CHECK(told == 0);
  hub.publish("a", 1, text(1));
  hub.publish_live("a", text(2));
  hub.publish("a", 2, text(2));
  CHECK(told == 1);
  CHECK(*watch.look(0).event == "1");
  CHECK(*watch.look(1).event == "2");
  CHECK(*watch.look(2).live == "2");
  CHECK_FALSE(watch.look(2).live);
  CHECK(told == 1);
  hub.publish_live("a", text(3));
  CHECK(told == 2);
}

TEST_CASE("who has left is told nothing", "[event_hub]") {
  EventHub hub;
  int told = 0;
  const EventHub::Watch stays(hub, "a", [&told] { ++told; });
  {
    const EventHub::Watch leaves(hub, "a", [&told] { told += 100; });
  }
  hub.publish("a", 1, text(1));
  CHECK(told == 1);
}

TEST_CASE("many watchers each get every event while they come", "[event_hub]") {
  constexpr int k_watchers = 8;
  constexpr std::int64_t k_events = 2'000;
  EventHub hub;
  std::latch ready(k_watchers + 1);
  std::atomic<std::int64_t> published = 0;
  std::atomic<int> complete = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < k_watchers; ++i) {
    threads.emplace_back([&] {
      EventHub::Watch watch(hub, "a");
      ready.count_down();
      std::int64_t seen = 0;
      while (seen < k_events) {
        const auto news = watch.wait(seen, k_long);
        if (news.event) {
          if (*news.event != std::to_string(++seen)) {
            return;
          }
        } else if (news.look_it_up) {
          seen = published;  // what the database would tell
        } else {
          return;
        }
      }
      ++complete;
    });
  }
  ready.arrive_and_wait();
  for (std::int64_t seq = 1; seq <= k_events; ++seq) {
    published = seq;
    hub.publish("a", seq, text(seq));
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(complete == k_watchers);
}

TEST_CASE("an event that comes between reading what is stored and waiting is not missed",
          "[event_hub]") {
  QueueDatabase queue;
  const std::string id = queue.submit().id;
  EventHub::Watch watch(queue.hub(), id);
  const auto stored = read_event_documents(queue.database(), id, 0, 100);
  REQUIRE(stored.size() == 1);
  queue.pause(id);  // now, before the watcher waits
  const auto news = watch.wait(stored.back().seq, k_long);
  REQUIRE(news.event);
  CHECK(event_type_of(*news.event) == "job.paused");
  const auto again = read_event_documents(queue.database(), id, stored.back().seq, 100);
  REQUIRE(again.size() == 1);
  CHECK(again.front().document == *news.event);
}

TEST_CASE("what is undone is told to nobody", "[event_hub]") {
  QueueDatabase queue;
  const std::string id = queue.submit().id;
  EventHub::Watch watch(queue.hub(), id);
  CHECK_THROWS(queue.write([&](JobTable& jobs) {
    pause_job(jobs, id, "user:1");
    throw std::runtime_error("changed my mind");
  }));
  CHECK_FALSE(watch.wait(1, k_now).event);
  queue.cancel(id);
  CHECK(event_type_of(*watch.wait(1, k_long).event) == "job.cancelled");
}

TEST_CASE("the end of a job is known by its event's type", "[event_hub]") {
  for (const char* type : {"job.succeeded", "job.partial", "job.failed", "job.cancelled"}) {
    CHECK(is_end_event(type));
  }
  for (const char* type : {"job.paused", "job.queued", "job.log", ""}) {
    CHECK_FALSE(is_end_event(type));
  }
}

TEST_CASE("a page of events begins behind the number asked for", "[event_hub]") {
  QueueDatabase queue;
  const std::string id = queue.submit().id;
  for (int i = 0; i < 4; ++i) {
    queue.pause(id);
    queue.resume(id);
  }
  const auto page = read_event_documents(queue.database(), id, 3, 2);
  REQUIRE(page.size() == 2);
  CHECK(page[0].seq == 4);
  CHECK(page[1].seq == 5);
  CHECK(read_event_documents(queue.database(), id, 9, 10).empty());
  const std::size_t length = page[0].document.size();
  CHECK(read_event_documents(queue.database(), id, 3, 10, length - 1).size() == 1);
  CHECK(read_event_documents(queue.database(), id, 3, 10, length).size() == 2);
}

}  // namespace
}  // namespace batchllm::daemon
