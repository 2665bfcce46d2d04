// SPDX-License-Identifier: Apache-2.0
#include "core/task_queue.h"

#include "tests/support/catch.h"

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>

using namespace batchllm;

namespace {

TaskBatch batch_of(TaskQueue& queue, std::size_t rows, std::size_t bytes = 1) {
  TaskBatch batch;
  for (std::size_t i = 0; i < rows; ++i) {
    batch.push_back(queue.fresh_task());
    batch.back()->body.assign(bytes, 'x');
  }
  return batch;
}

// Pushes on another thread; the future tells what push said.
std::future<bool> push_later(TaskQueue& queue, TaskBatch batch, std::stop_token stop = {}) {
  return std::async(std::launch::async, [&queue, stop, batch = std::move(batch)]() mutable {
    return queue.push(std::move(batch), stop);
  });
}

bool is_waiting(std::future<bool>& future) {
  return future.wait_for(std::chrono::milliseconds(30)) == std::future_status::timeout;
}

void recycle_all(TaskQueue& queue, TaskBatch batch) {
  for (auto& task : batch) {
    queue.recycle(std::move(task));
  }
}

}  // namespace

TEST_CASE("batches come out as they went in", "[task_queue]") {
  TaskQueue queue(100, 1000);
  CHECK(queue.try_pop().empty());
  CHECK(queue.push(batch_of(queue, 2), {}));
  CHECK(queue.push(batch_of(queue, 3), {}));
  CHECK(queue.try_pop().size() == 2);
  CHECK_FALSE(queue.is_drained());
  queue.finish();
  CHECK_FALSE(queue.is_drained());
  CHECK(queue.try_pop().size() == 3);
  CHECK(queue.is_drained());
}

TEST_CASE(
    "a row that has become a larger request keeps the reader waiting, and a smaller one does not",
    "[task_queue]") {
  TaskQueue queue(100, 1000);
  CHECK(queue.push(batch_of(queue, 1, 400), {}));
  TaskBatch row = queue.try_pop();
  row[0]->body.assign(300, 'y');
  row[0]->steps.resize(2);
  row[0]->steps[0].outcome.output = std::string(350, 'z');
  queue.weigh_again(*row[0]);
  auto pushed = push_later(queue, batch_of(queue, 1, 400));
  CHECK(is_waiting(pushed));
  row[0]->steps.clear();
  queue.weigh_again(*row[0]);
  CHECK(pushed.get());
  recycle_all(queue, std::move(row));
  CHECK(queue.push(batch_of(queue, 1, 600), {}));
}

TEST_CASE("the reader waits when too many rows are queued, until half of them are gone",
          "[task_queue]") {
  TaskQueue queue(4, 1'000'000);
  CHECK(queue.push(batch_of(queue, 2), {}));
  CHECK(queue.push(batch_of(queue, 2), {}));
  auto pushed = push_later(queue, batch_of(queue, 1));
  CHECK(is_waiting(pushed));
  queue.try_pop();
  CHECK(pushed.get());
}

TEST_CASE("bytes count until a row has its outcome", "[task_queue]") {
  TaskQueue queue(100, 1000);
  CHECK(queue.push(batch_of(queue, 1, 600), {}));
  TaskBatch flying = queue.try_pop();
  auto pushed = push_later(queue, batch_of(queue, 1, 600));
  CHECK(is_waiting(pushed));
  recycle_all(queue, std::move(flying));
  CHECK(pushed.get());
}

TEST_CASE("a row larger than the whole room passes alone", "[task_queue]") {
  TaskQueue queue(100, 1000);
  CHECK(queue.push(batch_of(queue, 1, 5000), {}));
  recycle_all(queue, queue.try_pop());
  CHECK(queue.push(batch_of(queue, 1, 1), {}));
}

TEST_CASE("a stop ends the waiting and drops the rows", "[task_queue]") {
  TaskQueue queue(1, 1000);
  CHECK(queue.push(batch_of(queue, 1), {}));
  std::stop_source stop;
  auto pushed = push_later(queue, batch_of(queue, 1), stop.get_token());
  CHECK(is_waiting(pushed));
  stop.request_stop();
  CHECK_FALSE(pushed.get());
  CHECK(queue.try_pop().size() == 1);
  CHECK(queue.try_pop().empty());
}

TEST_CASE("whoever found nothing is woken by the next rows, once, and by the end", "[task_queue]") {
  TaskQueue queue(100, 1000);
  std::atomic<int> woken{0};
  queue.on_arrival([&woken] { ++woken; });
  queue.push(batch_of(queue, 1), {});
  CHECK(woken == 0);
  queue.try_pop();
  queue.try_pop();  // nothing there
  queue.push(batch_of(queue, 1), {});
  queue.push(batch_of(queue, 1), {});
  CHECK(woken == 1);
  queue.finish();
  CHECK(woken == 2);
}

TEST_CASE("a recycled row starts afresh and keeps its memory", "[task_queue]") {
  TaskQueue queue(100, 100'000);
  auto task = queue.fresh_task();
  task->body.assign(4000, 'x');
  task->attempts = 3;
  task->known_failure = RowFailure::in_doubt;
  task->row_id = "7";
  task->record = "r";
  queue.recycle(std::move(task));
  task = queue.fresh_task();
  CHECK(task->body.capacity() >= 4000);
  CHECK(task->attempts == 0);
  CHECK(task->known_failure == RowFailure::none);
  CHECK(task->row_id.empty());
  CHECK(task->record.empty());
  task->body.assign(1'000'000, 'x');
  queue.recycle(std::move(task));
  CHECK(queue.fresh_task()->body.capacity() < 1'000'000);
}

TEST_CASE("rows flow between two threads without loss", "[task_queue]") {
  TaskQueue queue(64, 4096);
  constexpr std::uint64_t k_rows = 20'000;
  std::thread reader([&queue] {
    for (std::uint64_t row = 0; row < k_rows; row += 10) {
      TaskBatch batch = batch_of(queue, 10, 50);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i]->place.row_index = row + i;
      }
      queue.push(std::move(batch), {});
    }
    queue.finish();
  });
  std::uint64_t expected = 0;
  bool in_order = true;
  while (!queue.is_drained()) {
    for (auto& task : queue.try_pop()) {
      in_order = in_order && task->place.row_index == expected++;
      queue.recycle(std::move(task));
    }
    std::this_thread::yield();
  }
  reader.join();
  CHECK(in_order);
  CHECK(expected == k_rows);
}
