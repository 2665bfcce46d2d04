// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/lane_shares.h"

#include <algorithm>
#include <map>

namespace batchllm::daemon {
namespace {

struct Want {
  std::int64_t wanted = 0;
  std::int64_t share = 0;
};

// The smallest wish first: what it leaves is for those behind it.
void deal_evenly(std::int64_t capacity, std::vector<Want*>& wants) {
  std::sort(wants.begin(), wants.end(), [](const Want* a, const Want* b) {
    return a->wanted < b->wanted;
  });
  auto left = static_cast<std::int64_t>(wants.size());
  for (Want* want : wants) {
    want->share = std::min(want->wanted, std::max<std::int64_t>(capacity / left, 0));
    capacity -= want->share;
    --left;
  }
}

}  // namespace

void share_lane(std::int64_t capacity, std::vector<LaneUser*>& users) {
  std::map<std::string, std::vector<LaneUser*>> projects;
  for (LaneUser* user : users) {
    projects[user->project].push_back(user);
  }
  std::map<std::string, Want> totals;
  std::vector<Want*> by_project;
  for (auto& [name, members] : projects) {
    for (const LaneUser* user : members) {
      totals[name].wanted += user->wanted;
    }
  }
  for (auto& [name, total] : totals) {
    by_project.push_back(&total);
  }
  deal_evenly(capacity, by_project);
  for (auto& [name, members] : projects) {
    std::vector<Want> wants(members.size());
    std::vector<Want*> order;
    for (std::size_t i = 0; i < members.size(); ++i) {
      wants[i].wanted = members[i]->wanted;
      order.push_back(&wants[i]);
    }
    deal_evenly(totals[name].share, order);
    for (std::size_t i = 0; i < members.size(); ++i) {
      members[i]->share = std::max<std::int64_t>(wants[i].share, 1);
    }
  }
}

}  // namespace batchllm::daemon
