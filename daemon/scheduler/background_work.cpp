// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/background_work.h"

#include "daemon/service/daemon_log.h"

#include <pthread.h>

#include <exception>
#include <utility>

namespace batchllm::daemon {

BackgroundWork::~BackgroundWork() {
  join();
}

void BackgroundWork::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void BackgroundWork::start(std::function<void()> work) {
  join();
  busy_ = true;
  try {
    thread_ = std::thread([this, work = std::move(work)] {
      pthread_setname_np(pthread_self(), name_.c_str());
      try {
        work();
      } catch (const std::exception& error) {
        log_error("{}: {}", name_, error.what());
      }
      busy_ = false;
      done_();
    });
  } catch (...) {
    busy_ = false;
    throw;
  }
}

}  // namespace batchllm::daemon
