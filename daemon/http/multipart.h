// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/http_message.h"

#include <functional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// The head of one part of a form. `file_name` is what the client says: never a path to open.
struct MultipartPart {
  std::string name;
  std::string file_name;
  std::string content_type;
};

// What a form's reader does with it: begin() for each part, then take() for its bytes as they come.
struct MultipartReader {
  std::function<void(const MultipartPart&)> begin;
  std::function<void(std::string_view)> take;
};

// True when the request's body is multipart/form-data.
bool is_multipart(const HttpRequest& request);

// Reads such a body (RFC 7578) in bounded memory, in the place of HttpRequest's stream_body().
// Throws Error(usage) when it is malformed, and what the body and the reader throw.
void stream_multipart(HttpRequest& request, const MultipartReader& reader);

}  // namespace batchllm::daemon
