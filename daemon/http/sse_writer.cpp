// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/sse_writer.h"

namespace batchllm::daemon {
namespace {

// Takes the first line off `text`: "\n", "\r\n" and "\r" all end one, as for the client. False
// when `text` was the last line.
bool take_line(std::string_view& text, std::string_view& line) {
  const auto end = text.find_first_of("\r\n");
  line = text.substr(0, end);
  if (end == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
  return true;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value) += '\n';
}

void append_lines(std::string& out, std::string_view name, std::string_view text) {
  std::string_view line;
  bool is_more = true;
  while (is_more) {
    is_more = take_line(text, line);
    append_field(out, name, line);
  }
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of(std::string_view("\r\n\0", 3)));
}

}  // namespace

void append_sse_event(std::string& out, const SseEvent& event) {
  if (!event.id.empty()) {
    append_field(out, "id", first_line(event.id));
  }
  if (!event.name.empty()) {
    append_field(out, "event", first_line(event.name));
  }
  if (event.retry) {
    append_field(out, "retry", std::to_string(event.retry->count()));
  }
  append_lines(out, "data", event.data);
  out += '\n';
}

void append_sse_comment(std::string& out, std::string_view text) {
  append_lines(out, "", text);
  out += '\n';
}

}  // namespace batchllm::daemon
