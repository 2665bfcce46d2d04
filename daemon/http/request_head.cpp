// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/request_head.h"

#include "core/text.h"
#include "daemon/http/http_server.h"

#include <algorithm>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_length_digits = 18;  // fits 63 bits

bool is_token_character(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return is_letter ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Visible ASCII, every escape complete, no NUL, no fragment.
bool is_target(std::string_view target) {
  if (target == "*") {
    return true;
  }
  if (target.empty() || target.front() != '/') {
    return false;
  }
  for (std::size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (c <= ' ' || c > '~' || c == '#') {
      return false;
    }
    if (c == '%') {
      const auto escape = target.substr(i + 1, 2);
      if (escape.size() < 2 || !is_hex(escape[0]) || !is_hex(escape[1]) || escape == "00") {
        return false;
      }
    }
  }
  return true;
}

bool is_header_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    return (c >= '\0' && c < ' ' && c != '\t') || c == '\x7f';
  });
}

std::string_view trim_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes the line before the next CRLF off `rest`.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(line.size() + 2);
  return line;
}

}  // namespace

std::optional<Refusal> RequestHead::parse(std::string_view bytes,
                                          const HttpServerSettings& settings) {
  text.assign(bytes);
  headers.clear();
  content_length.reset();
  is_chunked = expects_continue = is_http_1_0 = false;
  keep_alive = true;
  std::string_view rest = text;
  if (auto refusal = parse_request_line(take_line(rest))) {
    return refusal;
  }
  std::size_t hosts = 0;
  for (auto line = take_line(rest); !line.empty(); line = take_line(rest)) {
    if (headers.size() == settings.header_count) {
      return Refusal{431, "The request has too many headers."};
    }
    if (auto refusal = parse_header(line)) {
      return refusal;
    }
    hosts += equals_ignoring_case(headers.back().first, "host") ? 1 : 0;
  }
  return check_together(hosts);
}

std::optional<Refusal> RequestHead::parse_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Refusal{400, "The request line is not: method, target, version."};
  }
  method = line.substr(0, first);
  target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method)) {
    return Refusal{400, "The request's method is not a token."};
  }
  if (!is_target(target)) {
    return Refusal{400,
                   "The request's target is not a path of visible ASCII and complete escapes."};
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return version.substr(0, 5) == "HTTP/" ? Refusal{505, "Only HTTP/1.1 is spoken here."}
                                           : Refusal{400, "The request line has no HTTP version."};
  }
  is_http_1_0 = version == "HTTP/1.0";
  keep_alive = !is_http_1_0;
  return std::nullopt;
}

std::optional<Refusal> RequestHead::parse_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return Refusal{400, "A header line is not: name, colon, value."};
  }
  const auto name = line.substr(0, colon);
  const auto value = trim_blanks(line.substr(colon + 1));
  if (!is_header_value(value)) {
    return Refusal{400, "A header has a control character."};
  }
  headers.emplace_back(name, value);
  return take_header(name, value);
}

std::optional<Refusal> RequestHead::take_header(std::string_view name, std::string_view value) {
  if (equals_ignoring_case(name, "content-length")) {
    return take_length(value);
  }
  if (equals_ignoring_case(name, "transfer-encoding")) {
    if (is_chunked || is_http_1_0) {
      return Refusal{400, "The request's transfer coding is ambiguous."};
    }
    is_chunked = equals_ignoring_case(value, "chunked");
    return is_chunked ? std::nullopt
                      : std::optional(Refusal{501, "The only transfer coding here is chunked."});
  }
  if (equals_ignoring_case(name, "connection")) {
    for (const auto& option : split(value, ',')) {
      if (equals_ignoring_case(trim_blanks(option), "close")) {
        keep_alive = false;
      } else if (is_http_1_0 && equals_ignoring_case(trim_blanks(option), "keep-alive")) {
        keep_alive = true;
      }
    }
  } else if (equals_ignoring_case(name, "expect")) {
    if (!equals_ignoring_case(value, "100-continue")) {
      return Refusal{417, "The only expectation here is 100-continue."};
    }
    expects_continue = !is_http_1_0;
  }
  return std::nullopt;
}

std::optional<Refusal> RequestHead::take_length(std::string_view value) {
  const bool is_number = !value.empty() && value.size() <= k_length_digits &&
                         value.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_number || content_length) {
    return Refusal{400, "The request's Content-Length is not one number."};
  }
  std::uint64_t length = 0;
  for (const char digit : value) {
    length = length * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  content_length = length;
  return std::nullopt;
}

std::optional<Refusal> RequestHead::check_together(std::size_t hosts) const {
  if (is_chunked && content_length) {
    return Refusal{400, "The request has both a Content-Length and a Transfer-Encoding."};
  }
  if (hosts > 1 || (hosts == 0 && !is_http_1_0)) {
    return Refusal{400, "The request has not exactly one Host header."};
  }
  return std::nullopt;
}

}  // namespace batchllm::daemon
