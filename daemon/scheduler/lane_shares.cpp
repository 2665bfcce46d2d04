// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/lane_shares.h"

#include <algorithm>
#include <map>

namespace batchllm::daemon {
namespace {

struct Want {
  std::int64_t least = 1;
  std::int64_t wanted = 1;  // at least `least`
  std::int64_t share = 0;
};

std::int64_t share_at(const Want& want, std::int64_t level) {
  return std::clamp(level, want.least, want.wanted);
}

std::int64_t sum_at(const std::vector<Want>& wants, std::int64_t level) {
  std::int64_t sum = 0;
  for (const Want& want : wants) {
    sum += share_at(want, level);
  }
  return sum;
}

// Everybody has as much as everybody else, but no less than the least and no more than what is
// wanted: the highest level is looked for that the capacity allows. What is then left, one each, is
// for the first that want it.
void deal_evenly(std::int64_t capacity, std::vector<Want>& wants) {
  std::int64_t level = 0;
  std::int64_t too_high = capacity + 1;
  while (too_high - level > 1) {
    const std::int64_t middle = level + (too_high - level) / 2;
    (sum_at(wants, middle) <= capacity ? level : too_high) = middle;
  }
  std::int64_t left = capacity - sum_at(wants, level);
  for (Want& want : wants) {
    want.share = share_at(want, level);
    if (left > 0 && share_at(want, level + 1) > want.share) {
      ++want.share;
      --left;
    }
  }
}

}  // namespace

void share_lane(std::int64_t capacity, std::vector<LaneUser*>& users) {
  std::map<std::string, std::vector<LaneUser*>> projects;
  for (LaneUser* user : users) {
    projects[user->project].push_back(user);
  }
  std::vector<Want> totals;
  for (const auto& [name, members] : projects) {
    Want& total = totals.emplace_back();
    total.least = static_cast<std::int64_t>(members.size());
    total.wanted = 0;
    for (const LaneUser* user : members) {
      total.wanted += std::max<std::int64_t>(user->wanted, 1);
    }
  }
  deal_evenly(std::max<std::int64_t>(capacity, 0), totals);
  auto total = totals.begin();
  for (auto& [name, members] : projects) {
    std::vector<Want> wants(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      wants[i].wanted = std::max<std::int64_t>(members[i]->wanted, 1);
    }
    deal_evenly((total++)->share, wants);
    for (std::size_t i = 0; i < members.size(); ++i) {
      members[i]->share = wants[i].share;
    }
  }
}

}  // namespace batchllm::daemon
