// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/http/http_client.h"
#include "core/error.h"
#include "core/json_document.h"

#include <string>
#include <string_view>

namespace batchllm {

// What the answers of batchllmd mean. `address` is how messages name it.

// The Error of a request that got no answer.
Error no_answer_error(const HttpClientResponse& response, const std::string& address);

// The Error that a problem document (RFC 9457) names; one that says "incompatible" when the answer
// has none.
Error problem_error(const HttpClientResponse& response, const std::string& address);

// Error(daemon_unreachable) with the detail reason=incompatible; `why` continues "what answers at
// unix:… is not batchllmd: ".
Error incompatible_error(const std::string& address, std::string_view why);

// The JSON of a 2xx answer; null when it has no body. Throws incompatible_error() when it is not
// JSON.
JsonNode json_answer(const HttpClientResponse& response, const std::string& address);

// The daemon's version out of the answer to GET /version. Throws incompatible_error() unless it
// says that it is batchllmd and speaks this major version of the API.
std::string version_answer(const HttpClientResponse& response, const std::string& address);

}  // namespace batchllm
