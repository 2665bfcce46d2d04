// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/daemon/queue/queue_model.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace batchllm::daemon {
namespace {

using enum JobState;

bool is_as_needed(JobState state, DependencyCondition condition) {
  return condition == DependencyCondition::any ||
         (state == succeeded) == (condition == DependencyCondition::ok);
}

std::int64_t turn(const ModelJob& job) {
  return job.created_ms - job.priority * 300'000;
}

}  // namespace

bool QueueModel::waits(const ModelJob& job) const {
  return std::any_of(
      job.waits.begin(), job.waits.end(), [](const ModelJob::Wait& wait) { return !wait.is_over; });
}

bool QueueModel::submit(ModelJob job) {
  for (ModelJob::Wait& wait : job.waits) {
    wait.is_over = has_ended(jobs.at(wait.after).state);
    if (wait.is_over && !is_as_needed(jobs.at(wait.after).state, wait.condition)) {
      return false;
    }
  }
  queue(job, job.not_before_ms);
  if (job.wants_approval) {
    job.state = waiting_input;
    job.asks_for_approval = true;
  }
  jobs.push_back(std::move(job));
  return true;
}

void QueueModel::queue(ModelJob& job, std::optional<std::int64_t> not_before_ms) {
  job.state = queued;
  job.wish = JobWish::run;
  job.is_disk_full = false;
  job.asks_for_approval = false;
  job.not_before_ms = not_before_ms;
  job.is_held = waits(job) || (not_before_ms && *not_before_ms > now_ms);
}

std::int64_t QueueModel::running(const std::string& project) const {
  return std::count_if(jobs.begin(), jobs.end(), [&project](const ModelJob& job) {
    return job.project == project && job.state == JobState::running;
  });
}

bool QueueModel::may_claim(std::size_t index) const {
  const auto can_run = [this](const ModelJob& job) {
    const auto& most = projects.at(job.project);
    return job.state == queued && !job.is_held && !(most && running(job.project) >= *most);
  };
  const ModelJob& chosen = jobs.at(index);
  return can_run(chosen) && std::none_of(jobs.begin(), jobs.end(), [&](const ModelJob& other) {
           const auto its = std::pair(running(other.project), turn(other));
           return can_run(other) && its < std::pair(running(chosen.project), turn(chosen));
         });
}

bool QueueModel::has_job_to_claim() const {
  for (std::size_t index = 0; index < jobs.size(); ++index) {
    if (may_claim(index)) {
      return true;
    }
  }
  return false;
}

void QueueModel::claim(std::size_t index) {
  ModelJob& job = jobs.at(index);
  job.state = JobState::running;
  job.not_before_ms.reset();
  ++job.epoch;
  ++job.attempt;
  ++job.crash_count;
  job.most_rows_done_before = job.most_rows_done;
}

void QueueModel::progress(std::size_t index, std::int64_t rows_done) {
  ModelJob& job = jobs.at(index);
  job.rows_done = rows_done;
  job.most_rows_done = std::max(job.most_rows_done, rows_done);
}

bool QueueModel::is_in_hand(std::size_t index, std::int64_t epoch) const {
  return jobs.at(index).state == JobState::running && jobs.at(index).epoch == epoch;
}

void QueueModel::end_as(std::size_t index, JobState state) {
  jobs.at(index).state = state;
  jobs.at(index).crash_count = 0;
  std::deque<std::size_t> ended{index};
  for (; !ended.empty(); ended.pop_front()) {
    for (std::size_t other = 0; other < jobs.size(); ++other) {
      ModelJob& job = jobs.at(other);
      for (ModelJob::Wait& wait : job.waits) {
        if (wait.after != ended.front() || std::exchange(wait.is_over, true) ||
            has_ended(job.state)) {
          continue;
        }
        if (!is_as_needed(jobs.at(ended.front()).state, wait.condition)) {
          job.state = cancelled;
          job.crash_count = 0;
          ended.push_back(other);
        } else if (job.state == queued) {
          queue(job, job.not_before_ms);
        }
      }
    }
  }
}

// Out of a worker's hands, without an attempt or a crash being charged.
void QueueModel::stop(ModelJob& job) {
  --job.attempt;
  job.crash_count = 0;
}

void QueueModel::go_on(std::size_t index, std::int64_t wait_ms) {
  ModelJob& job = jobs.at(index);
  if (job.wish == JobWish::cancel) {
    end_as(index, cancelled);
  } else if (job.wish == JobWish::pause) {
    job.state = paused;
  } else {
    queue(job, wait_ms > 0 ? std::optional(now_ms + wait_ms) : std::nullopt);
  }
}

bool QueueModel::end(std::size_t index, std::int64_t epoch, const RunEnding& ending) {
  if (!is_in_hand(index, epoch)) {
    return false;
  }
  ModelJob& job = jobs.at(index);
  progress(index, ending.counts.done());
  switch (ending.why) {
    case RunEnding::Why::cancelled:
      end_as(index, cancelled);
      break;
    case RunEnding::Why::paused:
      if (job.wish != JobWish::cancel) {
        stop(job);
      }
      go_on(index, 0);
      break;
    case RunEnding::Why::shut_down:
      --job.attempt;
      --job.crash_count;
      go_on(index, 0);
      break;
    default:
      finish(index, ending);
  }
  return true;
}

void QueueModel::finish(std::size_t index, const RunEnding& ending) {
  ModelJob& job = jobs.at(index);
  if (!ending.fault) {
    end_as(index, ending.is_partial ? partial : succeeded);
    return;
  }
  const std::string& code = ending.fault->code;
  const bool passes = code == "provider_unreachable" && job.attempt < job.max_attempts;
  if (job.wish == JobWish::cancel) {
    end_as(index, cancelled);
  } else if (code == "cost_limit") {
    stop(job);
    job.state = job.asks_at_limit ? waiting_input : paused;
  } else if (code == "storage_full") {
    stop(job);
    job.state = paused;
    job.is_disk_full = job.wish != JobWish::pause;
  } else if (passes && job.wish == JobWish::pause) {
    stop(job);
    job.state = paused;
  } else if (passes) {
    job.crash_count = 0;
    queue(job, now_ms + backoff.after(job.attempt));
  } else {
    end_as(index, failed);
  }
}

bool QueueModel::rescue(std::size_t index, std::int64_t epoch) {
  if (!is_in_hand(index, epoch)) {
    return false;
  }
  ModelJob& job = jobs.at(index);
  --job.attempt;
  if (job.rows_done > job.most_rows_done_before) {
    job.crash_count = 1;  // it comes further each time: not to blame
  }
  if (job.wish == JobWish::run && job.crash_count >= k_crash_limit) {
    job.state = paused;
  } else {
    go_on(index, backoff.after(job.crash_count));
  }
  return true;
}

void QueueModel::cancel(std::size_t index) {
  ModelJob& job = jobs.at(index);
  if (job.state == JobState::running) {
    job.wish = JobWish::cancel;
  } else if (!has_ended(job.state)) {
    end_as(index, cancelled);
  }
}

bool QueueModel::pause(std::size_t index) {
  ModelJob& job = jobs.at(index);
  if (job.state == JobState::running) {
    job.wish = job.wish == JobWish::run ? JobWish::pause : job.wish;
  } else if (!has_ended(job.state)) {
    job.state = paused;
    job.is_disk_full = false;
  }
  return !has_ended(job.state);
}

bool QueueModel::resume(std::size_t index) {
  ModelJob& job = jobs.at(index);
  if (job.state == JobState::running) {
    job.wish = job.wish == JobWish::pause ? JobWish::run : job.wish;
  } else if (job.state == paused) {
    job.crash_count = 0;
    queue(job, job.not_before_ms);
    job.asks_for_approval = job.wants_approval;
    job.state = job.wants_approval ? waiting_input : queued;
    return true;
  }
  return !has_ended(job.state) && job.state != waiting_input;
}

bool QueueModel::answer(std::size_t index, bool yes) {
  ModelJob& job = jobs.at(index);
  if (job.state != waiting_input) {
    return false;
  }
  if (!yes) {
    end_as(index, job.asks_for_approval ? cancelled : failed);
    return true;
  }
  job.wants_approval = false;
  job.crash_count = 0;
  queue(job, job.not_before_ms);
  return true;
}

int QueueModel::release_due() {
  int released = 0;
  for (ModelJob& job : jobs) {
    if (job.state == queued && job.is_held && job.not_before_ms && *job.not_before_ms <= now_ms &&
        !waits(job)) {
      queue(job, std::nullopt);
      ++released;
    }
  }
  return released;
}

void QueueModel::make_room() {
  for (ModelJob& job : jobs) {
    if (job.state == paused && job.is_disk_full) {
      queue(job, std::nullopt);
    }
  }
}

}  // namespace batchllm::daemon
