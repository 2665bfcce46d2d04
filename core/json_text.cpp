// SPDX-License-Identifier: Apache-2.0
#include "core/json_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace batchllm {
namespace {

bool needs_escape(char byte) noexcept {
  return static_cast<unsigned char>(byte) < 0x20 || byte == '"' || byte == '\\';
}

// How many bytes at the start of `text` stand for themselves.
std::size_t plain_length(std::string_view text) noexcept {
  std::size_t at = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i special = _mm_or_si128(
        control, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask != 0) {
      return at + static_cast<std::size_t>(__builtin_ctz(mask));
    }
  }
#endif
  while (at < text.size() && !needs_escape(text[at])) {
    ++at;
  }
  return at;
}

void append_escape(std::string& out, char byte) {
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      constexpr std::string_view k_hex = "0123456789abcdef";
      out += "\\u00";
      out += k_hex[static_cast<unsigned char>(byte) >> 4U];
      out += k_hex[static_cast<unsigned char>(byte) & 0xFU];
  }
}

template <typename Number>
void append_digits(std::string& out, Number number) {
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  (void)error;  // 24 characters hold every 64-bit number
  out.append(digits.data(), end);
}

std::string_view without_space(std::string_view json) noexcept {
  while (!json.empty() && std::strchr(" \t\r\n", json.back()) != nullptr) {
    json.remove_suffix(1);
  }
  return json;
}

// One parser a thread: it keeps its buffers.
simdjson::dom::parser& thread_parser() {
  thread_local simdjson::dom::parser parser;
  return parser;
}

simdjson::ondemand::parser& thread_ondemand_parser() {
  thread_local simdjson::ondemand::parser parser;
  return parser;
}

// Strings unescaped, everything else as it is spelled.
std::optional<JsonValue> spelled(simdjson::ondemand::value value) {
  JsonValue found;
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::string_view text;
  switch (type) {
    case simdjson::ondemand::json_type::string:
      if (value.get_string().get(text) != simdjson::SUCCESS) {
        return std::nullopt;
      }
      found.text = text;
      return found;
    case simdjson::ondemand::json_type::array: {
      simdjson::ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS ||
          array.raw_json().get(text) != simdjson::SUCCESS) {
        return std::nullopt;
      }
      break;
    }
    case simdjson::ondemand::json_type::object: {
      simdjson::ondemand::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS ||
          object.raw_json().get(text) != simdjson::SUCCESS) {
        return std::nullopt;
      }
      break;
    }
    case simdjson::ondemand::json_type::null:
      found.is_null = true;
      return found;
    default:
      text = value.raw_json_token();
  }
  found.text = without_space(text);
  found.is_json = true;
  return found;
}

// Takes one step (".name" or "[3]") off the front of `path`; false when it is neither.
bool step_into(simdjson::ondemand::value& value, std::string_view& path) {
  if (path.starts_with('[')) {
    const auto close = path.find(']');
    std::size_t index = 0;
    if (close == std::string_view::npos) {
      return false;
    }
    const auto [end, error] = std::from_chars(path.data() + 1, path.data() + close, index);
    simdjson::ondemand::array array;
    if (error != std::errc{} || end != path.data() + close ||
        value.get_array().get(array) != simdjson::SUCCESS) {
      return false;
    }
    path.remove_prefix(close + 1);
    return array.at(index).get(value) == simdjson::SUCCESS;
  }
  if (!path.starts_with('.')) {
    return false;
  }
  path.remove_prefix(1);
  const std::string_view name = path.substr(0, path.find_first_of(".["));
  simdjson::ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS ||
      object.find_field_unordered(name).get(value) != simdjson::SUCCESS) {
    return false;
  }
  path.remove_prefix(name.size());
  return true;
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t plain = plain_length(text);
    out.append(text.data(), plain);
    if (plain == text.size()) {
      return;
    }
    append_escape(out, text[plain]);
    text.remove_prefix(plain + 1);
  }
}

void append_json_string(std::string& out, std::string_view text) {
  if (text.data() == nullptr) {
    out += "null";
    return;
  }
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void append_integer(std::string& out, std::int64_t number) {
  append_digits(out, number);
}

void append_integer(std::string& out, std::uint64_t number) {
  append_digits(out, number);
}

std::optional<JsonValue> find_in_json(std::string_view json, std::string_view path) {
  // The full parse decides whether it is JSON at all; the lazy one keeps the spelling of numbers.
  if (!is_json(json)) {
    return std::nullopt;
  }
  const simdjson::padded_string padded(json);
  simdjson::ondemand::document document;
  simdjson::ondemand::value value;
  if (thread_ondemand_parser().iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_value().get(value) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  while (!path.empty()) {
    if (!step_into(value, path)) {
      return std::nullopt;
    }
  }
  return spelled(value);
}

bool is_json(std::string_view text) {
  simdjson::dom::element element;
  return thread_parser().parse(text.data(), text.size()).get(element) == simdjson::SUCCESS;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  text_ += '{';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  text_ += '}';
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  text_ += '[';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  text_ += ']';
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  text_ += '"';
  append_json_escaped(text_, name);
  text_ += "\":";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  text_ += '"';
  append_json_escaped(text_, text);
  text_ += '"';
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  separate();
  append_integer(text_, value);
  return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t value) {
  separate();
  append_integer(text_, value);
  return *this;
}

JsonWriter& JsonWriter::decimal(double value, int digits) {
  if (!std::isfinite(value)) {
    return null();
  }
  separate();
  text_ += fmt::format("{:.{}f}", value, digits);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  return raw(value ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_ += json;
  return *this;
}

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
  } else if (!first_) {
    text_ += ',';
  }
  first_ = false;
}

}  // namespace batchllm
