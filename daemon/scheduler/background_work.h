// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace batchllm::daemon {

// Work that takes too long for the scheduler's thread (copying an input, a backup), one piece at a
// time, on a thread that lasts as long as the work: nothing waits when there is none.
//
// Thread rule: is_busy and start from one thread.
class BackgroundWork {
 public:
  // `done` is called on the work's thread when a piece is done. `name`: of the thread, at most 15
  // characters.
  BackgroundWork(std::string name, std::function<void()> done)
      : name_(std::move(name)),
        done_(std::move(done)) {}

  // Waits for the work.
  ~BackgroundWork();
  BackgroundWork(const BackgroundWork&) = delete;
  BackgroundWork& operator=(const BackgroundWork&) = delete;
  BackgroundWork(BackgroundWork&&) = delete;
  BackgroundWork& operator=(BackgroundWork&&) = delete;

  bool is_busy() const noexcept { return busy_; }

  // What `work` throws is logged. Not while it is busy. Throws std::system_error when the system
  // has no thread for it.
  void start(std::function<void()> work);

 private:
  void join();

  const std::string name_;
  const std::function<void()> done_;
  std::atomic<bool> busy_{false};
  std::thread thread_;
};

}  // namespace batchllm::daemon
