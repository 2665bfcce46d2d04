// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// One server-sent event (WHATWG HTML, "Server-sent events"). `id` and `name` must have no line
// break: what follows one is left out.
struct SseEvent {
  std::string_view id;    // empty: the client keeps the last one
  std::string_view name;  // empty: "message"
  std::string_view data;  // any text; sent as one `data:` line for each of its lines
  std::optional<std::chrono::milliseconds> retry;
};

// Appends the event in the bytes of text/event-stream.
void append_sse_event(std::string& out, const SseEvent& event);

// Appends a comment, which clients skip: a sign of life.
void append_sse_comment(std::string& out, std::string_view text);

}  // namespace batchllm::daemon
