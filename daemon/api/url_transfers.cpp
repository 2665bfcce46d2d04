// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/url_transfers.h"

#include "core/error.h"
#include "daemon/scheduler/worker_process.h"

#include <fmt/format.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <variant>

namespace batchllm::daemon {
namespace {

[[noreturn]] void refuse_stopped() {
  throw Error(ErrorCode::daemon_draining, "the daemon is stopping", "try again when it runs");
}

TransferOrder order_for(const std::string& url,
                        const std::filesystem::path& file,
                        const UrlTransferLimits& limits) {
  constexpr std::uint64_t k_most_bytes = std::numeric_limits<std::int64_t>::max();
  TransferOrder order;
  order.url = url;
  order.file = file.string();
  order.bytes = static_cast<std::int64_t>(std::min(limits.bytes, k_most_bytes));
  order.timeout_ms = limits.timeout.count();
  order.public_addresses_only = limits.public_addresses_only;
  return order;
}

// What the worker says of the transfer; nothing when it left without a word.
std::optional<TransferReport> await_report(LineChannel& channel) {
  bool lives = true;
  while (lives) {
    pollfd readable{channel.descriptor(), POLLIN, 0};
    poll(&readable, 1, -1);
    lives = channel.receive();
    while (const auto line = channel.next_line()) {
      const auto message = parse_worker_message(*line);
      if (const auto* report = std::get_if<TransferReport>(&message)) {
        return *report;
      }
    }
  }
  return std::nullopt;
}

// The worker of one transfer, which has nothing to save when that is over.
class OwnWorker {
 public:
  explicit OwnWorker(WorkerProcess process) : process_(std::move(process)) {}

  ~OwnWorker() { process_.kill(); }

  OwnWorker(const OwnWorker&) = delete;
  OwnWorker& operator=(const OwnWorker&) = delete;
  OwnWorker(OwnWorker&&) = delete;
  OwnWorker& operator=(OwnWorker&&) = delete;

  WorkerProcess& operator*() noexcept { return process_; }

 private:
  WorkerProcess process_;
};

}  // namespace

// The right to go on as one of k_most.
class UrlTransfers::Turn {
 public:
  explicit Turn(UrlTransfers& all) : all_(all) {
    std::unique_lock lock(all_.mutex_);
    const auto has_room = [this] { return all_.going_on_ < k_most; };
    if (!all_.ended_.wait(lock, all_.stop_.get_token(), has_room)) {
      refuse_stopped();
    }
    ++all_.going_on_;
  }

  ~Turn() {
    const std::lock_guard lock(all_.mutex_);
    --all_.going_on_;
    all_.ended_.notify_one();
  }

  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Turn(Turn&&) = delete;
  Turn& operator=(Turn&&) = delete;

 private:
  UrlTransfers& all_;
};

TransferReport UrlTransfers::transfer(const TransferOrder& order) {
  const Turn turn(*this);
  OwnWorker worker(WorkerProcess::start(program_, state_dir_));
  LineChannel& channel = (*worker).channel();
  // Ends the waiting below, too.
  const std::stop_callback on_stop(stop_.get_token(),
                                   [&channel] { ::shutdown(channel.descriptor(), SHUT_RDWR); });
  (*worker).send(order);
  const auto report = await_report(channel);
  if (!report && stop_.stop_requested()) {
    refuse_stopped();
  }
  if (!report) {
    throw Error(ErrorCode::internal, fmt::format("{} ended before its transfer", (*worker).name()));
  }
  if (const auto& fault = report->fault) {
    const auto code = find_error_code(fault->code);
    throw Error(code.value_or(ErrorCode::internal), fault->message, fault->hint);
  }
  return *report;
}

DownloadedFile UrlTransfers::download(const std::string& url,
                                      const std::filesystem::path& file,
                                      const UrlTransferLimits& limits) {
  const TransferReport report = transfer(order_for(url, file, limits));
  return {static_cast<std::uint64_t>(report.bytes), report.media_type};
}

void UrlTransfers::upload(const std::filesystem::path& file,
                          const std::string& url,
                          const std::string& media_type,
                          const UrlTransferLimits& limits) {
  TransferOrder order = order_for(url, file, limits);
  order.is_upload = true;
  order.media_type = media_type;
  transfer(order);
}

}  // namespace batchllm::daemon
