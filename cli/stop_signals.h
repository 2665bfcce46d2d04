// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.h"

#include <stop_token>
#include <string>
#include <thread>

namespace batchllm {

// While it lives, the first SIGINT, SIGTERM or SIGHUP asks the stop source to stop; the second ends
// the process at once with 130 (SIGINT) or 143, whatever hangs. A signal that was ignored when the
// process started (nohup, a background job) stays ignored. One instance at a time; create it before
// other threads. The stop callbacks run on a thread of its own.
class StopSignals {
 public:
  // `farewell` is written to standard error before an immediate end, so that the shell's prompt
  // does not stand behind a half-drawn line. At most 63 bytes.
  explicit StopSignals(std::stop_source source, const std::string& farewell = {});
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  StopSignals(StopSignals&&) = delete;
  StopSignals& operator=(StopSignals&&) = delete;

  // The first signal; 0 while none came. Any thread.
  int received() const noexcept;

  // interrupted for SIGINT, terminated for the others.
  ErrorCode error_code() const noexcept;

 private:
  void watch(const std::stop_source& source) const;

  std::thread watcher_;
};

}  // namespace batchllm
