// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/transport.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace batchllm {

// Takes what the engine wants to know out of one response header line ("Name: value\r\n"): waits
// (retry-after in seconds or as an HTTP date, retry-after-ms), rate limits of every provider,
// request ids, AWS' type of an error. Other lines are passed over quickly. `wall_ms` is the time
// now, for dates.
void read_header_line(std::string_view line, std::int64_t wall_ms, HttpResponse& response);

// How long it is until a rate limit is whole again: "6m0s" (OpenAI, Groq), "24" seconds (Azure,
// Mistral), a time as RFC 3339 (Anthropic) or in milliseconds since 1970 (OpenRouter). nullopt for
// nonsense and for 0 and -1, which Azure says when it does not know.
std::optional<std::int64_t> reset_ms(std::string_view value, std::int64_t wall_ms);

}  // namespace batchllm
