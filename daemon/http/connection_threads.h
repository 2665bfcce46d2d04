// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace batchllm::daemon {

// Runs each connection on a thread of its own, with a small stack. A few threads wait for the next
// connection; after 10 s without one they end, so that an idle daemon has none, and the last gives
// back the memory that the connections took. Thread-safe.
class ConnectionThreads {
 public:
  explicit ConnectionThreads(std::size_t most) : most_(most) {}

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

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable ended_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_, as everything below
  std::size_t idle_ = 0;
  std::size_t threads_ = 0;
  bool stopping_ = false;
};

}  // namespace batchllm::daemon
