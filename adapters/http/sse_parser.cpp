// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/sse_parser.h"

#include "core/text.h"

#include <algorithm>
#include <utility>

namespace batchllm {

SseParser::SseParser(OnEvent on_event, std::size_t max_event_bytes)
    : on_event_(std::move(on_event)),
      max_event_bytes_(max_event_bytes) {}

SseParser::Fed SseParser::feed(std::string_view piece) {
  while (state_ == Fed::more && !piece.empty()) {
    if (std::exchange(after_cr_, false) && piece.front() == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    const std::size_t length = std::min(piece.find_first_of("\r\n"), piece.size());
    if (length > max_event_bytes_ - std::min(max_event_bytes_, line_.size() + data_.size())) {
      state_ = Fed::too_large;
      break;
    }
    line_.append(piece, 0, length);
    if (length == piece.size()) {
      break;
    }
    after_cr_ = piece[length] == '\r';
    piece.remove_prefix(length + 1);
    end_line();
  }
  return state_;
}

void SseParser::restart() {
  first_line_ = true;
  after_cr_ = false;
  line_.clear();
  type_.clear();
  data_.clear();
  id_ = last_id_;
}

void SseParser::end_line() {
  std::string_view line = line_;
  if (std::exchange(first_line_, false) && line.starts_with("\xEF\xBB\xBF")) {
    line.remove_prefix(3);
  }
  if (line.empty()) {
    dispatch();
  } else if (const auto colon = line.find(':'); colon != 0) {
    std::string_view value =
        colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    value.remove_prefix(value.starts_with(' ') ? 1 : 0);
    take_field(line.substr(0, colon), value);
  }
  line_.clear();
}

void SseParser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_.append(value).push_back('\n');
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) {
      id_ = value;
    }
  } else if (name == "retry") {
    const bool digits =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (const auto number = parse_integer(value); digits && number) {
      retry_ = Milliseconds(*number);
    }
  }
}

void SseParser::dispatch() {
  last_id_ = id_;
  if (!data_.empty()) {
    data_.pop_back();  // the line feed behind its last line
    SseEvent event{type_.empty() ? "message" : std::move(type_), std::move(data_), last_id_};
    if (!on_event_(event)) {
      state_ = Fed::stopped;
    }
  }
  type_.clear();
  data_.clear();
}

}  // namespace batchllm
