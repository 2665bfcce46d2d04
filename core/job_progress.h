// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.h"
#include "core/mutex.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace batchllm {

// Counters that the stages of a run keep and its progress is made of. Each is written by one
// thread.
struct JobCounters {
  std::atomic<std::uint64_t> ok{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> skipped{0};
  std::atomic<std::uint64_t> already_done{0};
  std::atomic<std::uint64_t> rows_read{0};  // selected ones, those already done included
  std::atomic<std::uint64_t> bad_rows{0};
  std::atomic<std::uint64_t> in_doubt{0};           // rows of earlier runs whose answer is unknown
  std::atomic<std::int64_t> in_doubt_micro_usd{0};  // what they may have cost
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::int64_t> cost_micro_usd{0};
  std::atomic<std::int64_t> input_tokens{0};
  std::atomic<std::int64_t> output_tokens{0};
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> waiting{0};
  std::atomic<std::int64_t> paused_ms{0};
  std::atomic<double> fraction_read{0};  // < 0: not known
  std::atomic<bool> reading_is_done{false};
  std::atomic<bool> cost_is_unknown{false};
};

// Why a run ends before its time: the first reason counts. Thread-safe.
class StopReason {
 public:
  // Answers in flight are of use to nobody: the stop, asked for before or after, need not wait.
  void abandon_answers() noexcept { abandons_answers_ = true; }

  bool abandons_answers() const noexcept { return abandons_answers_; }

  // Asks every stage to stop. Later reasons are forgotten.
  void stop(Error error) {
    {
      const MutexLock lock(mutex_);
      if (error_) {
        return;
      }
      error_ = std::move(error);
    }
    source_.request_stop();
  }

  std::stop_token token() const { return source_.get_token(); }

  std::optional<Error> reason() const {
    const MutexLock lock(mutex_);
    return error_;
  }

 private:
  mutable Mutex mutex_;
  std::optional<Error> error_ BATCHLLM_GUARDED_BY(mutex_);
  std::stop_source source_;
  std::atomic<bool> abandons_answers_{false};
};

}  // namespace batchllm
