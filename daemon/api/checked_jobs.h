// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/mutex.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace batchllm::daemon {

// Jobs whose columns, template and model were found to fit, by their record: it holds all that the
// check reads, its inputs with inode and time of change. Who submits the same job again and again
// does not wait for its input to be opened each time. Only some are kept, the newest. Thread-safe.
class CheckedJobs {
 public:
  // The endpoint that the job asks; nullopt: not known, check it.
  std::optional<std::string> endpoint_of(const std::string& record) const;

  void remember(const std::string& record, std::string_view endpoint);

 private:
  static constexpr std::size_t k_most_jobs = 64;
  static constexpr std::size_t k_longest_record = std::size_t{16} << 10;

  mutable Mutex mutex_;
  std::unordered_map<std::string, std::string> endpoints_ BATCHLLM_GUARDED_BY(mutex_);
  std::deque<std::string> oldest_first_ BATCHLLM_GUARDED_BY(mutex_);
};

}  // namespace batchllm::daemon
