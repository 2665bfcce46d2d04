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

}  // namespace
}  // namespace batchllm::daemon
