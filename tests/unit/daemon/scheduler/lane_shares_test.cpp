// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/lane_shares.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

using Shares = std::vector<std::int64_t>;

struct User {
  std::string project;
  std::int64_t wanted;
};

std::vector<LaneUser> deal(std::int64_t capacity, const std::vector<User>& users) {
  std::vector<LaneUser> dealt;
  for (const User& user : users) {
    dealt.push_back({user.project, user.wanted, 0});
  }
  std::vector<LaneUser*> pointers;
  for (LaneUser& user : dealt) {
    pointers.push_back(&user);
  }
  share_lane(capacity, pointers);
  return dealt;
}

Shares shares(std::int64_t capacity, const std::vector<User>& users) {
  Shares found;
  for (const LaneUser& user : deal(capacity, users)) {
    found.push_back(user.share);
  }
  return found;
}

TEST_CASE("a job alone has what it wants, as far as the lane goes", "[lane_shares]") {
  CHECK(shares(100, {{"a", 32}}) == Shares{32});
  CHECK(shares(10, {{"a", 32}}) == Shares{10});
  CHECK(shares(0, {{"a", 32}}) == Shares{1});
  CHECK(shares(100, {}).empty());
}

TEST_CASE("projects have equal parts, however many jobs they run", "[lane_shares]") {
  CHECK(shares(60, {{"a", 100}, {"b", 100}, {"b", 100}, {"b", 100}}) == Shares{30, 10, 10, 10});
}

TEST_CASE("what one does not want goes to the others", "[lane_shares]") {
  CHECK(shares(100, {{"a", 10}, {"b", 200}}) == Shares{10, 90});
  CHECK(shares(100, {{"a", 5}, {"a", 200}, {"b", 200}}) == Shares{5, 45, 50});
}

TEST_CASE("many small jobs do not lift a lane above its limit", "[lane_shares]") {
  std::vector<User> users(10, {"a", 1});
  users.push_back({"b", 10});
  const Shares found = shares(12, users);
  CHECK(std::accumulate(found.begin(), found.end(), std::int64_t{0}) == 12);
  CHECK(found.back() == 2);
}

TEST_CASE("whatever jobs there are, the lane's limit holds and nothing of it lies idle",
          "[lane_shares]") {
  for (unsigned seed = 1; seed <= 2'000; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto capacity = static_cast<std::int64_t>(random() % 200);
    std::vector<User> users;
    for (auto count = 1 + random() % 12; count > 0; --count) {
      users.push_back({std::string(1, static_cast<char>('a' + random() % 4)),
                       static_cast<std::int64_t>(random() % 60)});
    }
    const auto dealt = deal(capacity, users);
    std::int64_t given = 0;
    std::int64_t wanted = 0;
    std::map<std::string, std::int64_t> of_project;
    bool is_fair = true;
    for (const LaneUser& user : dealt) {
      const std::int64_t want = std::max<std::int64_t>(user.wanted, 1);
      is_fair = is_fair && user.share >= 1 && user.share <= want;
      given += user.share;
      wanted += want;
      of_project[user.project] += user.share;
    }
    const auto count = static_cast<std::int64_t>(users.size());
    for (const LaneUser& a : dealt) {
      for (const LaneUser& b : dealt) {
        const bool wants_more = a.share < a.wanted;
        // Within a project nobody has two more than one who wants more; nor has a project, unless
        // it needs them for its jobs' first ones.
        is_fair = is_fair && !(wants_more && a.project == b.project && b.share > a.share + 1);
        const auto jobs_of_b = std::count_if(users.begin(), users.end(), [&b](const User& user) {
          return user.project == b.project;
        });
        is_fair = is_fair && !(wants_more && of_project[b.project] > of_project[a.project] + 1 &&
                               of_project[b.project] > jobs_of_b);
      }
    }
    CHECK(is_fair);
    CHECK(given == std::clamp(capacity, count, std::max(wanted, count)));
  }
}

}  // namespace
}  // namespace batchllm::daemon
