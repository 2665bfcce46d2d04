// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/checked_jobs.h"

namespace batchllm::daemon {

std::optional<std::string> CheckedJobs::endpoint_of(const std::string& record) const {
  const MutexLock lock(mutex_);
  const auto found = endpoints_.find(record);
  return found == endpoints_.end() ? std::nullopt : std::optional(found->second);
}

void CheckedJobs::remember(const std::string& record, std::string_view endpoint) {
  if (record.size() > k_longest_record) {
    return;
  }
  const MutexLock lock(mutex_);
  if (!endpoints_.emplace(record, endpoint).second) {
    return;
  }
  oldest_first_.push_back(record);
  if (oldest_first_.size() > k_most_jobs) {
    endpoints_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
}

}  // namespace batchllm::daemon
