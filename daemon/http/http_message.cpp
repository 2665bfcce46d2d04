// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/http_message.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm::daemon {

std::optional<std::string> HttpRequest::query(std::string_view name) const {
  const auto found = std::find_if(
      parameters.begin(), parameters.end(), [&](const auto& entry) { return entry.first == name; });
  return found == parameters.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& entry) {
    return equals_ignoring_case(entry.first, name);
  });
  return found == headers.end() ? std::nullopt : std::optional(found->second);
}

std::string HttpRequest::read_body(std::size_t limit) {
  std::string bytes;
  stream_body([&](std::string_view piece) {
    if (piece.size() > limit - bytes.size()) {
      throw Error(ErrorCode::body_too_large,
                  fmt::format("the request's body is larger than {}", bytes_text(limit)));
    }
    bytes += piece;
  });
  return bytes;
}

void HttpRequest::stream_body(const std::function<void(std::string_view)>& take) {
  if (body == nullptr) {
    return;
  }
  for (std::string_view piece = body->next(); !piece.empty(); piece = body->next()) {
    take(piece);
  }
}

}  // namespace batchllm::daemon
