// SPDX-License-Identifier: Apache-2.0
#include "core/lane.h"

#include "tests/support/catch.h"

#include <memory>
#include <set>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

constexpr TimePoint k_start{std::chrono::hours(1)};

TimePoint after_ms(std::int64_t ms) {
  return k_start + Milliseconds(ms);
}

std::unique_ptr<RowTask> task_of(std::uint64_t row, std::int64_t tokens = 0) {
  auto task = std::make_unique<RowTask>();
  task->place.row_index = row;
  task->estimated_tokens = tokens;
  return task;
}

LaneSettings settings_of(std::int64_t concurrency, std::uint32_t max_attempts = 6) {
  LaneSettings settings;
  settings.concurrency = concurrency;
  settings.max_attempts = max_attempts;
  return settings;
}

Lane lane_with_rows(const LaneSettings& settings, std::uint64_t rows) {
  Lane lane(settings);
  for (std::uint64_t row = 0; row < rows; ++row) {
    lane.add(task_of(row));
  }
  return lane;
}

std::vector<std::unique_ptr<RowTask>> take_all(Lane& lane, TimePoint now) {
  std::vector<std::unique_ptr<RowTask>> tasks;
  while (auto task = lane.take(now)) {
    ++task->attempts;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

// Sends one request and lets it fail.
bool fail_once(Lane& lane,
               std::unique_ptr<RowTask>& task,
               RowFailure failure,
               TimePoint now,
               std::optional<std::int64_t> retry_after_ms = std::nullopt) {
  ++task->attempts;
  return lane.retry(task, failure, retry_after_ms, now);
}

}  // namespace

TEST_CASE("no more rows are in flight than the concurrency allows", "[lane]") {
  Lane lane = lane_with_rows(settings_of(3), 5);
  auto flying = take_all(lane, k_start);
  CHECK(flying.size() == 3);
  CHECK(lane.in_flight() == 3);
  CHECK(lane.free_places() == 0);
  CHECK_FALSE(lane.next_wake(k_start));  // only the end of a request makes room
  lane.succeeded(k_start);
  CHECK(take_all(lane, k_start).size() == 1);
  lane.failed_for_good(RowFailure::bad_request, k_start);
  CHECK(take_all(lane, k_start).size() == 1);
  CHECK(lane.ready_count() == 0);
}

TEST_CASE("a limit that is raised lets more rows go, up to the most that was allowed", "[lane]") {
  LaneSettings settings = settings_of(2);
  settings.most_concurrency = 5;
  Lane lane = lane_with_rows(settings, 20);
  CHECK(take_all(lane, k_start).size() == 2);
  lane.limit_concurrency(4);
  CHECK(lane.next_wake(k_start) == k_start);
  CHECK(take_all(lane, k_start).size() == 2);
  lane.limit_concurrency(1000);
  CHECK(take_all(lane, k_start).size() == 1);
  // Nothing said about the most: what it begins with.
  Lane fixed = lane_with_rows(settings_of(2), 20);
  fixed.limit_concurrency(3);
  CHECK(take_all(fixed, k_start).size() == 2);
}

TEST_CASE("under a lower limit the rows in flight come to their end before others go", "[lane]") {
  Lane lane = lane_with_rows(settings_of(4), 20);
  CHECK(take_all(lane, k_start).size() == 4);
  lane.limit_concurrency(2);
  CHECK(lane.in_flight() == 4);
  CHECK(lane.free_places() == -2);
  CHECK_FALSE(lane.next_wake(k_start));
  for (int ended = 0; ended < 2; ++ended) {
    lane.succeeded(k_start);
    CHECK(lane.take(k_start) == nullptr);
  }
  lane.succeeded(k_start);
  CHECK(take_all(lane, k_start).size() == 1);
  lane.limit_concurrency(0);  // one row always may
  lane.succeeded(k_start);
  lane.succeeded(k_start);
  CHECK(take_all(lane, k_start).size() == 1);
}

TEST_CASE("a limit that changes does not undo what a refusal slowed down", "[lane]") {
  LaneSettings settings = settings_of(10);
  settings.most_concurrency = 20;
  Lane lane = lane_with_rows(settings, 100);
  auto task = lane.take(k_start);
  REQUIRE(fail_once(lane, task, RowFailure::overloaded, k_start));
  CHECK(lane.free_places() == 7);
  lane.limit_concurrency(20);
  CHECK(lane.free_places() == 7);
  lane.limit_concurrency(3);
  CHECK(lane.free_places() == 3);
  // It grows back to the new limit, not to the old one.
  for (auto& flying : take_all(lane, k_start)) {
    flying.reset();
    lane.succeeded(k_start);
  }
  CHECK(lane.free_places() == 3);
}

TEST_CASE("rows are taken in the order in which they came", "[lane]") {
  Lane lane = lane_with_rows(settings_of(10), 4);
  std::uint64_t expected = 0;
  for (const auto& task : take_all(lane, k_start)) {
    CHECK(task->place.row_index == expected++);
  }
}

TEST_CASE("a row that was put back is the next one and was never sent", "[lane]") {
  Lane lane = lane_with_rows(settings_of(2), 2);
  auto task = lane.take(k_start);
  lane.put_back(std::move(task));
  CHECK(lane.in_flight() == 0);
  CHECK(lane.take(k_start)->place.row_index == 0);
}

TEST_CASE("a row that failed waits, then goes before new ones", "[lane]") {
  Lane lane = lane_with_rows(settings_of(1), 2);
  auto task = lane.take(k_start);
  REQUIRE(fail_once(lane, task, RowFailure::server_error, k_start, 700));
  CHECK(task == nullptr);
  CHECK(lane.waiting_count() == 1);
  CHECK(lane.in_flight() == 0);
  auto other = lane.take(k_start);  // meanwhile others go
  REQUIRE(other);
  CHECK(other->place.row_index == 1);
  lane.succeeded(k_start);
  CHECK(lane.take(after_ms(699)) == nullptr);
  const auto wake = lane.next_wake(k_start);
  REQUIRE(wake);
  CHECK(*wake >= after_ms(700));
  CHECK(*wake <= after_ms(770));
  CHECK(lane.take(*wake)->place.row_index == 0);
}

TEST_CASE("a row whose attempts are used up stays the caller's", "[lane]") {
  Lane lane = lane_with_rows(settings_of(1, 2), 1);
  auto task = lane.take(k_start);
  REQUIRE(fail_once(lane, task, RowFailure::timeout, k_start));
  task = lane.take(after_ms(60'000));
  REQUIRE(task);
  CHECK_FALSE(fail_once(lane, task, RowFailure::timeout, after_ms(60'000)));
  REQUIRE(task);
  CHECK(lane.in_flight() == 1);
  lane.failed_for_good(RowFailure::timeout, after_ms(60'000));
  CHECK(lane.in_flight() == 0);
}

TEST_CASE("told to wait, everybody waits", "[lane]") {
  Lane lane = lane_with_rows(settings_of(4), 4);
  auto task = lane.take(k_start);
  REQUIRE(fail_once(lane, task, RowFailure::rate_limited, k_start, 5000));
  CHECK(lane.paused_ms(k_start) == 5000);
  CHECK(lane.take(after_ms(4999)) == nullptr);
  CHECK(lane.next_wake(k_start) == after_ms(5000));
  CHECK(lane.take(after_ms(5000)) != nullptr);
  CHECK(lane.paused_ms(after_ms(5001)) == 0);
}

TEST_CASE("a wait for one row's server error holds nobody else up", "[lane]") {
  Lane lane = lane_with_rows(settings_of(4), 4);
  auto task = lane.take(k_start);
  REQUIRE(fail_once(lane, task, RowFailure::server_error, k_start, 5000));
  CHECK(lane.paused_ms(k_start) == 0);
  CHECK(take_all(lane, k_start).size() == 3);
}

TEST_CASE("a wave of refusals slows down once, and success brings the speed back", "[lane]") {
  Lane lane = lane_with_rows(settings_of(100), 100'000);
  auto flying = take_all(lane, k_start);
  REQUIRE(flying.size() == 100);
  for (auto& task : flying) {
    lane.retry(task, RowFailure::overloaded, std::nullopt, k_start);
  }
  CHECK(lane.free_places() == 70);
  // Still refused a second later: slower again, but never below one.
  TimePoint now = k_start;
  for (int round = 0; round < 40; ++round) {
    now += Milliseconds(1000);
    auto task = lane.take(now);
    REQUIRE(task);
    lane.retry(task, RowFailure::overloaded, std::nullopt, now);
  }
  CHECK(lane.free_places() == 1);
  for (int i = 0; i < 10'000 && lane.free_places() < 100; ++i) {
    auto task = lane.take(now);
    REQUIRE(task);
    lane.succeeded(now);
  }
  CHECK(lane.free_places() == 100);
}

TEST_CASE("requests and tokens a minute are kept to", "[lane]") {
  LaneSettings settings = settings_of(100);
  settings.requests_per_minute = 120;
  Lane requests = lane_with_rows(settings, 10);
  CHECK(take_all(requests, k_start).size() == 2);
  CHECK(requests.next_wake(k_start) == after_ms(500));
  CHECK(take_all(requests, after_ms(500)).size() == 1);

  settings = settings_of(100);
  settings.tokens_per_minute = 60'000;
  Lane tokens(settings);
  for (std::uint64_t row = 0; row < 10; ++row) {
    tokens.add(task_of(row, 400));
  }
  CHECK(take_all(tokens, k_start).size() == 2);
  CHECK(tokens.next_wake(k_start) == after_ms(200));
  auto task = tokens.take(after_ms(200));
  REQUIRE(task);
  tokens.put_back(std::move(task));  // gives its tokens back
  CHECK(tokens.take(after_ms(200)) != nullptr);
}

TEST_CASE("limits are learnt from responses", "[lane]") {
  Lane lane = lane_with_rows(settings_of(100), 100);
  auto task = lane.take(k_start);
  HttpResponse response;
  response.limit_requests = 60;
  response.remaining_requests = 2;
  lane.observe(*task, response, k_start);
  lane.succeeded(k_start);
  CHECK(take_all(lane, k_start).size() == 2);
  CHECK(lane.next_wake(k_start) == after_ms(1000));
}

TEST_CASE("a server that never answers is given up after five failures and ten seconds", "[lane]") {
  Lane lane = lane_with_rows(settings_of(10), 10);
  auto flying = take_all(lane, k_start);
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(lane.verdict(after_ms(i)));
    lane.retry(flying[static_cast<std::size_t>(i)],
               RowFailure::connection_failed,
               std::nullopt,
               after_ms(i));
  }
  CHECK_FALSE(lane.verdict(after_ms(9'999)));
  CHECK(lane.verdict(after_ms(10'000)) == RowFailure::connection_failed);
}

TEST_CASE("one that did answer is given two minutes and twenty failures", "[lane]") {
  Lane lane = lane_with_rows(settings_of(40), 100);
  auto flying = take_all(lane, k_start);
  lane.succeeded(k_start);
  for (std::size_t i = 0; i < 20; ++i) {
    lane.retry(flying[i], RowFailure::server_error, std::nullopt, k_start);
  }
  CHECK_FALSE(lane.verdict(after_ms(119'999)));
  CHECK(lane.verdict(after_ms(120'000)) == RowFailure::server_error);
  lane.succeeded(after_ms(120'000));
  CHECK_FALSE(lane.verdict(after_ms(500'000)));
}

TEST_CASE("told to wait is borne longer than failures", "[lane]") {
  Lane lane = lane_with_rows(settings_of(40), 100);
  auto flying = take_all(lane, k_start);
  for (std::size_t i = 0; i < 20; ++i) {
    lane.retry(flying[i], RowFailure::rate_limited, std::nullopt, k_start);
  }
  CHECK_FALSE(lane.verdict(after_ms(119'999)));
  CHECK(lane.verdict(after_ms(120'000)) == RowFailure::rate_limited);
}

TEST_CASE("a hundred rows refused at the start without a good one end the run", "[lane]") {
  Lane lane = lane_with_rows(settings_of(200), 200);
  auto flying = take_all(lane, k_start);
  for (int i = 0; i < 99; ++i) {
    lane.failed_for_good(RowFailure::bad_request, k_start);
  }
  CHECK_FALSE(lane.verdict(k_start));
  lane.failed_for_good(RowFailure::bad_request, k_start);
  CHECK(lane.verdict(k_start) == RowFailure::bad_request);
}

TEST_CASE("clearing gives up what was not sent, and only that", "[lane]") {
  Lane lane = lane_with_rows(settings_of(2), 5);
  auto first = lane.take(k_start);
  auto second = lane.take(k_start);
  fail_once(lane, first, RowFailure::timeout, k_start);
  lane.clear();
  CHECK(lane.ready_count() == 0);
  CHECK(lane.waiting_count() == 0);
  CHECK(lane.in_flight() == 1);
  CHECK_FALSE(lane.next_wake(k_start));
}

TEST_CASE("a lane that starts anew gives up its rows and judges others afresh", "[lane]") {
  Lane lane = lane_with_rows(settings_of(5), 7);
  for (auto& task : take_all(lane, k_start)) {
    CHECK(lane.retry(task, RowFailure::connection_failed, std::nullopt, k_start));
  }
  auto late = take_all(lane, after_ms(1000));
  REQUIRE(late.size() == 5);
  CHECK(lane.retry(late[0], RowFailure::connection_failed, std::nullopt, after_ms(11'000)));
  CHECK(lane.verdict(after_ms(11'000)) == RowFailure::connection_failed);
  CHECK(lane.start_anew().size() == 3);  // two were ready, one waited
  CHECK(lane.ready_count() + lane.waiting_count() == 0);
  CHECK(lane.in_flight() == 4);
  CHECK_FALSE(lane.verdict(after_ms(11'000)));
  for (std::size_t i = 1; i < late.size(); ++i) {
    CHECK(lane.retry(late[i], RowFailure::connection_failed, std::nullopt, after_ms(12'000)));
  }
  CHECK_FALSE(lane.verdict(after_ms(22'000)));  // four are too few
}
