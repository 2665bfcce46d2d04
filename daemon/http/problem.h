// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.h"
#include "daemon/http/http_message.h"

namespace batchllm::daemon {

// `error` as an RFC 9457 problem document (application/problem+json) with the code of the table in
// core/error.cpp. `status` replaces the table's HTTP status where HTTP has a better one.
HttpResponse problem_response(const Error& error, int status = 0);

}  // namespace batchllm::daemon
