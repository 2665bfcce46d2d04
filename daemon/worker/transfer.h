// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/worker/worker_message.h"

#include <stop_token>

namespace batchllm::daemon {

// Fetches a file or stores one, as the order says; what stops it is in the report.
TransferReport run_transfer(const TransferOrder& order, std::stop_token stop);

}  // namespace batchllm::daemon
