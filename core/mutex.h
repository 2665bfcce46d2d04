// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>

// clang's thread-safety annotations: what a mutex guards is written in the code and checked.
#if defined(__clang__)
#define BATCHLLM_CAPABILITY(x) __attribute__((capability(x)))
#define BATCHLLM_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define BATCHLLM_GUARDED_BY(x) __attribute__((guarded_by(x)))
#define BATCHLLM_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define BATCHLLM_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define BATCHLLM_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#else
#define BATCHLLM_CAPABILITY(x)
#define BATCHLLM_SCOPED_CAPABILITY
#define BATCHLLM_GUARDED_BY(x)
#define BATCHLLM_ACQUIRE(...)
#define BATCHLLM_RELEASE(...)
#define BATCHLLM_REQUIRES(...)
#endif

namespace batchllm {

class BATCHLLM_CAPABILITY("mutex") Mutex {
 public:
  void lock() BATCHLLM_ACQUIRE() { mutex_.lock(); }

  void unlock() BATCHLLM_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class BATCHLLM_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) BATCHLLM_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }

  ~MutexLock() BATCHLLM_RELEASE() { mutex_.unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace batchllm
