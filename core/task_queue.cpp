// SPDX-License-Identifier: Apache-2.0
#include "core/task_queue.h"

#include <utility>

namespace batchllm {
namespace {

// A row that once was large gives its memory back.
constexpr std::size_t k_kept_body_bytes = std::size_t{16} << 10;

std::size_t bytes_of(const RowTask& task) noexcept {
  std::size_t bytes = task.body.size() + task.record.size();
  for (const RowStep& step : task.steps) {
    bytes += step.outcome.output.size();
  }
  return bytes;
}

}  // namespace

bool TaskQueue::push(TaskBatch batch, std::stop_token stop) {
  std::size_t bytes = 0;
  for (auto& task : batch) {
    task->queued_bytes = bytes_of(*task);
    bytes += task->queued_bytes;
  }
  std::unique_lock lock(mutex_);
  const bool has_room = room_.wait(lock, stop, [&] {
    waits_for_rows_ = rows_ >= max_rows_;
    // What is larger than the whole room passes when nothing else is there.
    waits_for_bytes_ = bytes_ != 0 && bytes_ + bytes > max_bytes_;
    return !waits_for_rows_ && !waits_for_bytes_;
  });
  if (!has_room) {
    return false;
  }
  rows_ += batch.size();
  bytes_ += bytes;
  batches_.push_back(std::move(batch));
  const bool wake = std::exchange(hungry_, false);
  lock.unlock();
  if (wake) {
    wake_();
  }
  return true;
}

void TaskQueue::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  wake_();
}

TaskBatch TaskQueue::try_pop() {
  const std::lock_guard lock(mutex_);
  if (batches_.empty()) {
    hungry_ = true;
    return {};
  }
  TaskBatch batch = std::move(batches_.front());
  batches_.pop_front();
  rows_ -= batch.size();
  // Half empty: the reader has a stretch of work, not a row.
  if (waits_for_rows_ && rows_ <= max_rows_ / 2) {
    room_.notify_one();
  }
  return batch;
}

bool TaskQueue::is_drained() const {
  const std::lock_guard lock(mutex_);
  return finished_ && batches_.empty();
}

std::unique_ptr<RowTask> TaskQueue::fresh_task() {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      auto task = std::move(free_.back());
      free_.pop_back();
      return task;
    }
  }
  return std::make_unique<RowTask>();
}

void TaskQueue::weigh_again(RowTask& task) {
  const std::size_t before = std::exchange(task.queued_bytes, bytes_of(task));
  const std::lock_guard lock(mutex_);
  bytes_ = bytes_ - before + task.queued_bytes;
  if (waits_for_bytes_) {
    room_.notify_one();
  }
}

void TaskQueue::recycle(std::unique_ptr<RowTask> task) {
  const std::size_t bytes = task->queued_bytes;
  RowTask fresh;
  if (task->body.capacity() <= k_kept_body_bytes) {
    fresh.body = std::move(task->body);
  }
  // Not an assignment: a string that is assigned an empty one keeps its memory.
  std::swap(*task, fresh);
  const std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  free_.push_back(std::move(task));
  if (waits_for_bytes_) {
    room_.notify_one();
  }
}

}  // namespace batchllm
