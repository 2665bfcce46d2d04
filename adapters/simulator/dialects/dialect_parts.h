// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/dialect.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm::simulator {

// What several dialects have in common.

// The token of "Authorization: Bearer …"; empty: none.
std::string_view bearer_key(const SimulatedRequest& request);

// Removes `prefix` from the front of `text`; false, with nothing removed, when it is not there.
bool take_prefix(std::string_view& text, std::string_view prefix) noexcept;

// The value of a parameter of the query, as it stands there; empty: none.
std::string_view query_value(std::string_view query, std::string_view name) noexcept;

// The elements of a list that are answered at once: from `begin` to `end`, which is not one.
struct ListPart {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// `size`: how many are asked for, as it stands in the query; as many as `usual` where that is no
// number. A thousand at most.
ListPart list_part(std::size_t count, std::size_t begin, std::string_view size, std::size_t usual);

// What asks for the part that begins there, and back; nullopt: no list of `count` gave that. An
// empty token begins at the first element.
std::string part_token(std::size_t begin);
std::optional<std::size_t> part_begin(std::string_view token, std::size_t count);

// Adds retry-after, in whole seconds, when it is known how long to wait.
void add_retry_after(const SimulatedError& error, SimulatedReply& reply);

void add_header(SimulatedReply& reply, std::string_view name, std::string value);

// Appends a tool's arguments as JSON: an empty object where they are none any more (cut off) or
// never were.
void append_arguments(std::string& out, std::string_view json);

// The id of a request: `prefix` and 16 hexadecimal digits.
std::string request_id(std::string_view prefix, const ReplyFacts& facts);

// Writes a stream piece by piece into a reply.
class EventStream {
 public:
  // Server-sent events.
  explicit EventStream(SimulatedReply& reply);

  // Other pieces, each with `end` behind it.
  EventStream(SimulatedReply& reply, const char* content_type, std::string_view end);

  // Begins a server-sent event, of that type unless it is empty; returns where its data goes.
  std::string& begin(std::string_view type = {});

  // Ends it, or the piece that was written to the reply's body.
  void end();

 private:
  SimulatedReply& reply_;
  std::string_view end_;
};

}  // namespace batchllm::simulator
