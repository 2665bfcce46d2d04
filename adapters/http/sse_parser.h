// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

struct SseEvent {
  std::string type;  // "message" when the stream names none
  std::string data;
  std::string last_id;  // the latest id of the stream, this event's or an earlier one's
};

// Server-sent events out of a stream that comes in pieces of any size (WHATWG HTML, section 9.2).
// Bytes are handed on as they are: whoever needs UTF-8 checks it. Not thread-safe.
class SseParser {
 public:
  // Called for each event; false stops the parser.
  using OnEvent = std::function<bool(const SseEvent& event)>;

  enum class Fed {
    more,      // go on
    stopped,   // by `on_event`
    too_large  // an event passed the limit
  };

  explicit SseParser(OnEvent on_event, std::size_t max_event_bytes = k_default_event_bytes);

  // Takes the next piece. After `stopped` and `too_large` everything else is ignored.
  Fed feed(std::string_view piece);

  // For a new connection: forgets the unfinished event, keeps id and waiting time.
  void restart();

  // What a client says as Last-Event-ID when it connects again: the id that stood at the last
  // complete event, so that one that was cut off comes again. Empty: nothing.
  const std::string& last_id() const noexcept { return last_id_; }

  // How long the server wants clients to wait before that.
  std::optional<Milliseconds> retry() const noexcept { return retry_; }

 private:
  static constexpr std::size_t k_default_event_bytes = std::size_t{4} << 20;

  void end_line();
  void take_field(std::string_view name, std::string_view value);
  void dispatch();

  OnEvent on_event_;
  std::size_t max_event_bytes_;
  Fed state_ = Fed::more;
  bool first_line_ = true;
  bool after_cr_ = false;  // a line feed now belongs to the line end before it
  std::string line_;
  std::string type_;
  std::string data_;
  std::string id_;       // of the event that is not complete yet
  std::string last_id_;  // of those that are
  std::optional<Milliseconds> retry_;
};

}  // namespace batchllm
