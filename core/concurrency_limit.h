// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/mutex.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace batchllm {

// How many rows may be in flight, changed from outside while an engine runs. Thread-safe.
class ConcurrencyLimit {
 public:
  // Calls `changed` after every set(), on the thread of that call, as long as it lives. One at a
  // time. `limit` may be null.
  class Watch {
   public:
    Watch(ConcurrencyLimit* limit, std::function<void()> changed) : limit_(limit) {
      if (limit_ != nullptr) {
        limit_->tell(std::move(changed));
      }
    }

    ~Watch() {
      if (limit_ != nullptr) {
        limit_->tell({});
      }
    }

    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    ConcurrencyLimit* limit_;
  };

  void set(std::int64_t rows) {
    rows_.store(rows, std::memory_order_relaxed);
    const MutexLock lock(mutex_);
    if (changed_) {
      changed_();
    }
  }

  // What was set last; 0: nothing was, the settings hold. Waits for nobody.
  std::int64_t rows() const noexcept { return rows_.load(std::memory_order_relaxed); }

 private:
  void tell(std::function<void()> changed) {
    const MutexLock lock(mutex_);
    changed_ = std::move(changed);
  }

  std::atomic<std::int64_t> rows_{0};
  Mutex mutex_;
  std::function<void()> changed_ BATCHLLM_GUARDED_BY(mutex_);
};

}  // namespace batchllm
