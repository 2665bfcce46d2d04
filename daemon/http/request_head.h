// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/http_message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

struct HttpServerSettings;

// Why a request is answered without a handler; its connection is closed afterwards.
struct Refusal {
  int status = 400;
  std::string_view reason;  // a sentence for the client
};

// The head of one request (RFC 9112), checked strictly: whatever two readers could understand
// differently is refused, so that no request hides in another one's body.
struct RequestHead {
  std::string text;  // the bytes; the views point into it
  std::string_view method;
  std::string_view target;
  HttpRequest::Headers headers;
  std::optional<std::uint64_t> content_length;
  bool is_chunked = false;
  bool expects_continue = false;
  bool is_http_1_0 = false;
  bool keep_alive = true;

  bool has_body() const noexcept { return is_chunked || content_length.value_or(0) > 0; }

  RequestHead() = default;
  RequestHead(const RequestHead&) = delete;
  RequestHead& operator=(const RequestHead&) = delete;

  // Fills it from `bytes`, which end with the empty line.
  std::optional<Refusal> parse(std::string_view bytes, const HttpServerSettings& settings);

 private:
  std::optional<Refusal> parse_request_line(std::string_view line);
  std::optional<Refusal> parse_header(std::string_view line);
  std::optional<Refusal> take_header(std::string_view name, std::string_view value);
  std::optional<Refusal> take_length(std::string_view value);
  std::optional<Refusal> check_together(std::size_t hosts) const;
};

}  // namespace batchllm::daemon
