// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/multipart.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_head_bytes = std::size_t{8} << 10;
constexpr std::size_t k_padding_bytes = 128;
constexpr std::size_t k_boundary_bytes = 70;  // RFC 2046, 5.1.1

[[noreturn]] void fail(std::string_view what) {
  throw Error(ErrorCode::usage, fmt::format("the multipart body {}", what));
}

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
    return std::string(text);
  }
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    const bool is_escape = text[i] == '\\' && (text[i + 1] == '"' || text[i + 1] == '\\');
    i += is_escape && i + 2 < text.size() ? 1 : 0;
    plain += text[i];
  }
  return plain;
}

// The end of the parameter that begins `text`: a semicolon outside of quotes.
std::size_t parameter_end(std::string_view text) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else if (text[i] == ';' && !is_quoted) {
      return i;
    }
  }
  return text.size();
}

// `name` of `form-data; name="a"; filename="b;c.csv"`.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  while (!value.empty()) {
    const auto end = parameter_end(value);
    const auto one = trim(value.substr(0, end));
    const auto equals = one.find('=');
    if (equals != std::string_view::npos && equals_ignoring_case(one.substr(0, equals), name)) {
      return unquoted(one.substr(equals + 1));
    }
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return std::nullopt;
}

MultipartPart parse_part(std::string_view head) {
  MultipartPart part;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      fail("has a part with a malformed head");
    }
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (equals_ignoring_case(name, "content-disposition")) {
      part.name = parameter(value, "name").value_or("");
      part.file_name = parameter(value, "filename").value_or("");
    } else if (equals_ignoring_case(name, "content-type")) {
      part.content_type = value;
    }
  }
  return part;
}

class MultipartParser {
 public:
  MultipartParser(const std::string& boundary, const MultipartReader& reader)
      : delimiter_("\r\n--" + boundary),
        reader_(reader) {}

  void feed(std::string_view piece) {
    bytes_ += piece;
    while (step()) {
    }
  }

  void finish() const {
    if (state_ != State::finished) {
      fail("ends before its end");
    }
  }

 private:
  enum class State { preamble, delimiter, head, data, finished };

  // False when more bytes are needed.
  bool step() {
    switch (state_) {
      case State::preamble:
      case State::data:
        return pass_data();
      case State::delimiter:
        return pass_delimiter();
      case State::head:
        return pass_head();
      case State::finished:
        bytes_.clear();
        return false;
    }
    return false;
  }

  void drop(std::size_t count, State next) {
    bytes_.erase(0, count);
    state_ = next;
  }

  bool pass_data() {
    const auto end = bytes_.find(delimiter_);
    const bool is_found = end != std::string::npos;
    // A delimiter may have begun in the last bytes.
    const auto count =
        is_found ? end : bytes_.size() - std::min(bytes_.size(), delimiter_.size() - 1);
    if (state_ == State::data && count > 0) {
      reader_.take(std::string_view(bytes_).substr(0, count));
    }
    drop(is_found ? count + delimiter_.size() : count, is_found ? State::delimiter : state_);
    return is_found;
  }

  bool pass_delimiter() {
    if (bytes_.size() < 2) {
      return false;
    }
    if (bytes_.compare(0, 2, "--") == 0) {
      drop(2, State::finished);
      return true;
    }
    const auto end = bytes_.find("\r\n");
    if (std::min(end, bytes_.size()) > k_padding_bytes ||
        bytes_.find_first_not_of(" \t\r") < std::min(end, bytes_.size())) {
      fail("has something after a boundary");
    }
    if (end == std::string::npos) {
      return false;
    }
    drop(end, State::head);  // the line break stays: a part may have no head
    return true;
  }

  bool pass_head() {
    const auto end = bytes_.find("\r\n\r\n");
    if (std::min(end, bytes_.size()) > k_head_bytes) {
      fail("has a part with too large a head");
    }
    if (end == std::string::npos || bytes_.size() < end + 2 + delimiter_.size()) {
      return false;
    }
    reader_.begin(
        parse_part(end == 0 ? std::string_view{} : std::string_view(bytes_).substr(2, end - 2)));
    // The head's last line break may be the first of an empty part's delimiter.
    const bool is_empty = bytes_.compare(end + 2, delimiter_.size(), delimiter_) == 0;
    drop(is_empty ? end + 2 : end + 4, State::data);
    return true;
  }

  const std::string delimiter_;
  const MultipartReader& reader_;
  std::string bytes_ = "\r\n";  // the first delimiter may begin the body
  State state_ = State::preamble;
};

}  // namespace

bool is_multipart(const HttpRequest& request) {
  const auto type = request.header("content-type");
  return type &&
         equals_ignoring_case(trim(type->substr(0, type->find(';'))), "multipart/form-data");
}

void stream_multipart(HttpRequest& request, const MultipartReader& reader) {
  const auto boundary = parameter(request.header("content-type").value_or(""), "boundary");
  if (!boundary || boundary->empty() || boundary->size() > k_boundary_bytes) {
    throw Error(ErrorCode::usage, "the request's multipart body has no boundary");
  }
  MultipartParser parser(*boundary, reader);
  request.stream_body([&](std::string_view piece) { parser.feed(piece); });
  parser.finish();
}

}  // namespace batchllm::daemon
