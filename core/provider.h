// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/outcome.h"
#include "core/prompt.h"
#include "core/transport.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace batchllm {

// What a response means.
struct Answer {
  RowFailure failure = RowFailure::none;  // none: `text` is a good answer
  bool stops_run = false;                 // no row can succeed any more: key refused, quota used up
  std::string_view text;  // valid while the decoder's buffers are: until the next call
  std::span<const std::string_view> texts;     // the same, of each row of a request for several
  std::string message;                         // why it failed, for people
  std::optional<std::int64_t> retry_after_ms;  // told in the body, not in a header
  Usage usage;
};

// Speaks one LLM HTTP dialect: turns prompts into request bodies and responses into answers. Knows
// nothing of connections, limits and retries. `encode` is called on the reader thread, `decode` on
// the network thread, as `join` is; they share nothing that changes.
class Provider {
 public:
  virtual ~Provider() = default;

  // Where its requests go, with the headers they need.
  virtual HttpEndpoint endpoint() const = 0;

  // Replaces `body` with the request for `prompt`; for a provider that answers many rows at once
  // with the row's part of one.
  virtual void encode(const Prompt& prompt, std::string& body) const = 0;

  // Replaces `body` with one request made of the parts of several rows. Only for providers that
  // answer many rows at once.
  virtual void join(std::span<const std::string_view> parts, std::string& body) const {
    body.assign(parts.front());
  }

  // Puts an answer and what the user says to it behind the messages of an encoded request.
  virtual void append_turns(std::string& body,
                            std::string_view answer,
                            std::string_view request) const = 0;

  // Reads a response that arrived whole (failure none). Never throws: what cannot be read is a
  // `protocol_error`.
  virtual Answer decode(HttpResponse& response) = 0;
};

}  // namespace batchllm
