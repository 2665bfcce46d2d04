// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/queue/job_store.h"
#include "daemon/scheduler/background_work.h"
#include "daemon/scheduler/scheduler.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

namespace batchllm::daemon {

// Copies the queue's database at intervals, when something was written since the copy before, and
// keeps the newest three.
class BackupChore final : public Chore {
 public:
  // `folder`: gets the copies. `wake`: makes the scheduler ask again.
  BackupChore(JobStore& store,
              std::filesystem::path database,
              std::filesystem::path folder,
              std::function<void()> wake);

  // Time between two copies; nullopt: none are made. Any thread; wake the scheduler afterwards.
  void repeat_every(std::optional<std::int64_t> every_ms) noexcept;

  std::optional<std::int64_t> do_due(std::int64_t now_ms) override;

 private:
  void back_up_now(std::int64_t now_ms, std::uint64_t writes);

  JobStore& store_;
  const std::filesystem::path database_;
  const std::filesystem::path folder_;
  std::atomic<std::int64_t> every_ms_{-1};  // -1: no copies

  // Changed by the work, read when it is done.
  std::optional<std::int64_t> last_ms_;  // the newest copy, or the latest attempt at one
  std::uint64_t copied_writes_ = 0;
  bool is_changed_since_ = false;  // by a daemon before this one
  BackgroundWork work_;            // last: it uses the rest
};

}  // namespace batchllm::daemon
