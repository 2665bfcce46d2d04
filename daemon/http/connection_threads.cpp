// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/connection_threads.h"

#include <malloc.h>
#include <pthread.h>

#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_most_idle = 16;
// Thousands of connections wait at a time; their pages are touched only as deep as they get.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t k_stack_bytes = std::size_t{1} << 20;
#else
constexpr std::size_t k_stack_bytes = std::size_t{256} << 10;
#endif

// What many threads took of memory and gave back lies scattered over the arenas of the C library,
// which keeps it unless it is asked.
void release_memory() noexcept {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

}  // namespace

ConnectionThreads::~ConnectionThreads() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  work_.notify_all();
  ended_.wait(lock, [this] { return threads_ == 0; });
}

bool ConnectionThreads::run(std::function<void()>& task) {
  const std::unique_lock lock(mutex_);
  if (idle_ <= tasks_.size() && !start_thread()) {
    return false;
  }
  tasks_.push_back(std::move(task));
  work_.notify_one();
  return true;
}

// A std::thread cannot choose its stack.
bool ConnectionThreads::start_thread() {
  if (threads_ == most_) {
    return false;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, k_stack_bytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  const bool started = pthread_create(&thread, &attributes, &enter, this) == 0;
  pthread_attr_destroy(&attributes);
  // It counts as idle from now on: the next task must not take it for free.
  idle_ += started ? 1 : 0;
  threads_ += started ? 1 : 0;
  return started;
}

void* ConnectionThreads::enter(void* self) {
  static_cast<ConnectionThreads*>(self)->serve();
  return nullptr;
}

// False when the thread is to end. More than a few wait for nothing: a crowd that came at once and
// is gone, or goes on as streams, leaves no threads behind.
bool ConnectionThreads::await_task(std::unique_lock<std::mutex>& lock) {
  if (tasks_.empty() && idle_ > k_most_idle) {
    return false;
  }
  work_.wait_for(lock, idle_time_, [this] { return !tasks_.empty() || stopping_; });
  return !tasks_.empty();
}

void ConnectionThreads::serve() {
  std::unique_lock lock(mutex_);
  while (await_task(lock)) {
    --idle_;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
    ++idle_;
  }
  --idle_;  // from here on another thread is started for what comes
  if (threads_ == 1 && !stopping_) {
    lock.unlock();
    go_quiet();
    lock.lock();
  }
  if (--threads_ == 0) {
    ended_.notify_all();  // under the lock: the object is gone once it is free
  }
}

void ConnectionThreads::go_quiet() const {
  if (on_quiet_) {
    on_quiet_();
  }
  release_memory();
}

}  // namespace batchllm::daemon
