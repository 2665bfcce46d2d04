// SPDX-License-Identifier: Apache-2.0
// What the queue should do, said once more as simply as possible: in memory, one job beside
// another.
#pragma once

#include "daemon/queue/job_leases.h"
#include "daemon/queue/queued_job.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace batchllm::daemon {

struct ModelJob {
  std::string id;
  std::string project;
  std::int64_t created_ms = 0;
  std::int64_t priority = 0;
  std::int64_t max_attempts = 0;
  bool wants_approval = false;
  bool asks_at_limit = false;

  struct Wait {
    std::size_t after = 0;
    DependencyCondition condition = DependencyCondition::ok;
    bool is_over = false;
  };

  std::vector<Wait> waits;
  std::optional<std::int64_t> not_before_ms;
  JobState state = JobState::queued;
  JobWish wish = JobWish::run;
  bool is_held = false;
  bool is_disk_full = false;
  bool asks_for_approval = false;
  std::int64_t attempt = 0;
  std::int64_t crash_count = 0;
  std::int64_t epoch = 0;
  std::int64_t rows_done = 0;
  std::int64_t most_rows_done = 0;         // that was ever on record
  std::int64_t most_rows_done_before = 0;  // this attempt
};

// Functions with a result say whether the queue has to accept; what it must not accept changes
// nothing.
class QueueModel {
 public:
  bool submit(ModelJob job);
  bool may_claim(std::size_t index) const;
  bool has_job_to_claim() const;
  void claim(std::size_t index);
  bool is_in_hand(std::size_t index, std::int64_t epoch) const;
  void progress(std::size_t index, std::int64_t rows_done);
  bool end(std::size_t index, std::int64_t epoch, const RunEnding& ending);
  bool rescue(std::size_t index, std::int64_t epoch);
  void cancel(std::size_t index);
  bool pause(std::size_t index);
  bool resume(std::size_t index);
  bool answer(std::size_t index, bool yes);
  int release_due();
  void make_room();

  std::int64_t now_ms = 0;
  Backoff backoff;
  std::map<std::string, std::optional<std::int64_t>> projects;  // and what they may run
  std::vector<ModelJob> jobs;

 private:
  std::int64_t running(const std::string& project) const;
  bool waits(const ModelJob& job) const;
  void queue(ModelJob& job, std::optional<std::int64_t> not_before_ms);
  void stop(ModelJob& job);
  void go_on(std::size_t index, std::int64_t wait_ms);
  void finish(std::size_t index, const RunEnding& ending);
  void end_as(std::size_t index, JobState state);
};

}  // namespace batchllm::daemon
