// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/http/url_transfer.h"
#include "daemon/scheduler/worker_program.h"
#include "daemon/worker/worker_message.h"

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <stop_token>
#include <string>

namespace batchllm::daemon {

// The transfers of adapters/http/url_transfer.h, each by a worker of its own: the service itself
// has no client for the web. So many at a time as k_most; others wait for their turn.
//
// Thread-safe.
class UrlTransfers {
 public:
  static constexpr std::size_t k_most = 16;

  // `program` outlives it.
  UrlTransfers(const WorkerProgram& program, std::filesystem::path state_dir)
      : program_(program),
        state_dir_(std::move(state_dir)) {}

  // As download() and upload(), but for `limits.ca_file` and `limits.stop`. Throw
  // Error(daemon_draining) when stop() ends them, Error(internal) when their worker dies, and what
  // WorkerProcess::start() throws.
  DownloadedFile download(const std::string& url,
                          const std::filesystem::path& file,
                          const UrlTransferLimits& limits);
  void upload(const std::filesystem::path& file,
              const std::string& url,
              const std::string& media_type,
              const UrlTransferLimits& limits);

  // Ends those that go on and refuses others.
  void stop() noexcept { stop_.request_stop(); }

 private:
  class Turn;
  TransferReport transfer(const TransferOrder& order);

  const WorkerProgram& program_;
  std::filesystem::path state_dir_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::size_t going_on_ = 0;
};

}  // namespace batchllm::daemon
