// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/files/content_store.h"
#include "daemon/queue/job_store.h"
#include "daemon/scheduler/background_work.h"
#include "daemon/scheduler/scheduler.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

namespace batchllm::daemon {

// Deletes what has been kept long enough: jobs that ended longer ago than the retention, with their
// files, and answers to idempotency keys after a day, when their job is gone. What jobs used and
// cost stays on record. A few at a time, so that others come in between.
class RetentionChore final : public Chore {
 public:
  // `wake`: makes the scheduler ask again.
  RetentionChore(JobStore& store,
                 files::ContentStore& content,
                 std::filesystem::path state_dir,
                 std::function<void()> wake)
      : store_(store),
        content_(content),
        state_dir_(std::move(state_dir)),
        work_("retention", std::move(wake)) {}

  // How long ended jobs are kept; nullopt: for ever. Any thread; wake the scheduler afterwards.
  void keep_for(std::optional<std::int64_t> retention_ms) noexcept;

  std::optional<std::int64_t> do_due(std::int64_t now_ms) override;

 private:
  std::optional<std::int64_t> next_ms() const;
  void remove_some(std::int64_t now_ms);

  JobStore& store_;
  files::ContentStore& content_;
  const std::filesystem::path state_dir_;
  std::atomic<std::int64_t> retention_ms_{-1};  // -1: for ever
  std::optional<std::int64_t> retry_ms_;        // set by the work, read when it is done
  BackgroundWork work_;                         // last: it uses the rest
};

}  // namespace batchllm::daemon
