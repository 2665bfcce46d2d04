// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/transport.h"

#include <string_view>

namespace batchllm {

// Takes what the engine wants to know out of one response header line ("Name: value\r\n"): waits
// (retry-after in seconds or as an HTTP date, retry-after-ms), rate limits, request ids. Other
// lines are passed over quickly. `wall_ms` is the time now, for dates.
void read_header_line(std::string_view line, std::int64_t wall_ms, HttpResponse& response);

}  // namespace batchllm
