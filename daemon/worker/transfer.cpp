// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/transfer.h"

#include "adapters/http/url_transfer.h"
#include "core/error.h"

#include <string>
#include <utility>

namespace batchllm::daemon {

TransferReport run_transfer(const TransferOrder& order, std::stop_token stop) {
  UrlTransferLimits limits;
  limits.bytes = static_cast<std::uint64_t>(order.bytes);
  limits.timeout = Milliseconds(order.timeout_ms);
  limits.public_addresses_only = order.public_addresses_only;
  limits.stop = std::move(stop);
  TransferReport report;
  try {
    if (order.is_upload) {
      upload(order.file, order.url, order.media_type, limits);
    } else {
      const DownloadedFile found = download(order.url, order.file, limits);
      report.bytes = static_cast<std::int64_t>(found.bytes);
      report.media_type = found.media_type;
    }
  } catch (const Error& error) {
    report.fault = JobFault{std::string(error.name()), error.message(), error.hint()};
  } catch (const std::exception& bug) {
    report.fault = JobFault{"internal", bug.what(), ""};
  }
  return report;
}

}  // namespace batchllm::daemon
