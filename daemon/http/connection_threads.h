// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace batchllm::daemon {

// Runs each connection on a thread of its own, with a small stack. A few threads wait for the next
// connection; after `idle_time` without one they end, so that an idle daemon has none, and the last
// calls `on_quiet` and gives back the memory that the connections took. Thread-safe.
class ConnectionThreads {
 public:
  // `on_quiet` must not throw, and may be empty.
  ConnectionThreads(std::size_t most,
                    std::chrono::milliseconds idle_time,
                    std::function<void()> on_quiet)
      : most_(most),
        idle_time_(idle_time),
        on_quiet_(std::move(on_quiet)) {}

  // Waits for the connections to end.
  ~ConnectionThreads();
  ConnectionThreads(const ConnectionThreads&) = delete;
  ConnectionThreads& operator=(const ConnectionThreads&) = delete;

  // False when there are `most` threads already, or the system has no more; `task` was not taken.
  // A task must not throw.
  bool run(std::function<void()>& task);

 private:
  static void* enter(void* self);
  void serve();
  bool await_task(std::unique_lock<std::mutex>& lock);
  bool start_thread();
  void go_quiet() const;

  const std::size_t most_;
  const std::chrono::milliseconds idle_time_;
  const std::function<void()> on_quiet_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable ended_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_, as everything below
  std::size_t idle_ = 0;
  std::size_t threads_ = 0;
  bool stopping_ = false;
};

}  // namespace batchllm::daemon
