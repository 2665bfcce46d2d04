// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/mutex.h"
#include "core/row_task.h"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

namespace batchllm {

using TaskBatch = std::vector<std::unique_ptr<RowTask>>;

// Rows on their way from the reader to the network thread, in batches; bounded by rows here and by
// the bytes of all rows between reader and outcome. Finished rows come back to be filled again.
//
// Thread rule: push, finish, fresh_task by the reader; try_pop, weigh_again, recycle by the network
// thread.
class TaskQueue {
 public:
  TaskQueue(std::size_t max_rows, std::size_t max_bytes)
      : max_rows_(max_rows),
        max_bytes_(max_bytes) {}

  // Called (on the reader's thread) when rows arrive while the network thread waits for some.
  void on_arrival(std::function<void()> wake) { wake_ = std::move(wake); }

  // Waits for room. False when `stop` was requested meanwhile: the rows are dropped.
  bool push(TaskBatch batch, std::stop_token stop);

  // Nothing more comes.
  void finish();

  // The next batch; empty when none is there. `hungry` is remembered for on_arrival.
  TaskBatch try_pop();

  // True when the reader is done and nothing is left.
  bool is_drained() const;

  std::unique_ptr<RowTask> fresh_task();

  // The row has become another request: its share of the bytes is what it holds now. They may be
  // more than there is room for: then no new rows come.
  void weigh_again(RowTask& task);

  // Takes a row that has its outcome; frees its share of the bytes.
  void recycle(std::unique_ptr<RowTask> task);

 private:
  const std::size_t max_rows_;
  const std::size_t max_bytes_;
  std::function<void()> wake_ = [] {};

  mutable std::mutex mutex_;
  std::condition_variable_any room_;
  std::deque<TaskBatch> batches_;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;  // of rows between push and recycle
  bool hungry_ = false;
  bool waits_for_rows_ = false;
  bool waits_for_bytes_ = false;
  bool finished_ = false;
  std::vector<std::unique_ptr<RowTask>> free_;
};

}  // namespace batchllm
