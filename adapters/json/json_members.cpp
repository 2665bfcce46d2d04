// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_members.h"

#include "adapters/json/json_scan.h"

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace batchllm::json {
namespace {

bool is_space(char byte) noexcept {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

const char* skip_space(const char* at, const char* end) noexcept {
  while (at < end && is_space(*at)) {
    ++at;
  }
  return at;
}

// The next quote or backslash at or after `at`.
const char* find_quote_or_backslash(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash))));
    if (found != 0) {
      return at + __builtin_ctz(found);
    }
  }
#endif
  while (at < end && *at != '"' && *at != '\\') {
    ++at;
  }
  return at;
}

// Copies up to the next backslash and moves both pointers behind what was copied. Writes up to
// k_unescape_slack bytes more than it copies.
void copy_to_backslash(const char*& at, const char* end, char*& out) noexcept {
#if defined(__SSE2__)
  const __m128i backslash = _mm_set1_epi8('\\');
  for (; end - at >= 16; at += 16, out += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, backslash)));
    if (found != 0) {
      const int plain = __builtin_ctz(found);
      at += plain;
      out += plain;
      return;
    }
  }
#endif
  while (at < end && *at != '\\') {
    *out++ = *at++;
  }
}

// `at` is behind an opening quote; returns the closing one.
const char* string_end(const char* at, const char* end) noexcept {
  while (true) {
    at = find_quote_or_backslash(at, end);
    if (at >= end || *at == '"') {
      return at;
    }
    at = end - at > 2 ? at + 2 : end;
  }
}

std::uint32_t hex4(const char* digits) noexcept {
  std::uint32_t code = 0;
  for (int i = 0; i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(digits[i]);
    const std::uint32_t digit = byte <= '9' ? byte - '0' : (byte | 0x20U) - 'a' + 10U;
    code = code * 16 + digit;
  }
  return code;
}

char plain_escape(char kind) noexcept {
  switch (kind) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    default:
      return kind;
  }
}

}  // namespace

char* put_utf8(char* out, std::uint32_t code) noexcept {
  const auto tail = [code](unsigned shift) {
    return static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
  };
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0U | (code >> 6U));
    *out++ = tail(0);
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0U | (code >> 12U));
    *out++ = tail(6);
    *out++ = tail(0);
  } else {
    *out++ = static_cast<char>(0xF0U | (code >> 18U));
    *out++ = tail(12);
    *out++ = tail(6);
    *out++ = tail(0);
  }
  return out;
}

ValueKind kind_of(char first) noexcept {
  switch (first) {
    case '{':
      return ValueKind::object;
    case '[':
      return ValueKind::array;
    case '"':
      return ValueKind::string;
    case 't':
    case 'f':
      return ValueKind::boolean;
    case 'n':
      return ValueKind::null;
    default:
      return ValueKind::number;
  }
}

MemberWalk::MemberWalk(std::string_view object) noexcept
    : at_(object.data()),
      end_(object.data() + object.size()) {
  at_ = skip_space(at_, end_);
  if (at_ < end_ && *at_ == '{') {
    ++at_;
  }
}

bool MemberWalk::next(Member& member) noexcept {
  while (at_ < end_ && (is_space(*at_) || *at_ == ',')) {
    ++at_;
  }
  if (at_ >= end_ || *at_ != '"') {
    return false;
  }
  const char* start = at_ + 1;
  at_ = string_end(start, end_);
  member.key = {start, static_cast<std::size_t>(at_ - start)};
  at_ = at_ < end_ ? skip_space(at_ + 1, end_) : end_;  // the closing quote
  at_ = at_ < end_ ? skip_space(at_ + 1, end_) : end_;  // the colon
  if (at_ >= end_) {
    return false;
  }
  member.kind = kind_of(*at_);
  start = at_;
  if (member.kind == ValueKind::string) {
    ++start;
    at_ = string_end(start, end_);
    member.value = {start, static_cast<std::size_t>(at_ - start)};
    at_ = at_ < end_ ? at_ + 1 : end_;
    return true;
  }
  if (member.kind == ValueKind::object || member.kind == ValueKind::array) {
    BracketScan scan;
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    at_ += scan_brackets(rest, scan).value_or(rest.size());
  } else {
    while (at_ < end_ && *at_ != ',' && *at_ != '}' && !is_space(*at_)) {
      ++at_;
    }
  }
  member.value = {start, static_cast<std::size_t>(at_ - start)};
  return true;
}

TokenWalk::TokenWalk(std::string_view object, std::span<const std::uint32_t> tokens) noexcept
    : object_(object),
      tokens_(tokens) {}

bool TokenWalk::next(Member& member) noexcept {
  // A member is a name, a colon, a value and what ends it.
  if (at_ + 3 >= tokens_.size()) {
    return false;
  }
  const char* const text = object_.data();
  const std::uint32_t* const token = tokens_.data() + at_;
  // A string ends at the last quote before the next token, a number or word at the last byte.
  const auto trimmed_end = [text](std::size_t end) {
    while (is_space(text[end - 1])) {
      --end;
    }
    return end;
  };
  const auto inside = [&](std::size_t quote, std::size_t next) {
    return std::string_view(text + quote + 1, trimmed_end(next) - quote - 2);
  };
  member.key = inside(token[0], token[1]);
  const std::size_t start = token[2];
  member.kind = kind_of(text[start]);
  std::size_t after = at_ + 3;
  if (member.kind == ValueKind::string) {
    member.value = inside(start, token[3]);
  } else if (member.kind == ValueKind::object || member.kind == ValueKind::array) {
    for (std::size_t depth = 1; depth != 0 && after < tokens_.size(); ++after) {
      const char byte = text[tokens_[after]];
      depth += byte == '{' || byte == '[' ? 1 : 0;
      depth -= byte == '}' || byte == ']' ? 1 : 0;
    }
    member.value = {text + start, tokens_[after - 1] + 1 - start};
  } else {
    member.value = {text + start, trimmed_end(token[3]) - start};
  }
  at_ = after + 1;
  return true;
}

std::size_t unescape(std::string_view text, char* out) noexcept {
  const char* const begin = out;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    copy_to_backslash(at, end, out);
    if (end - at < 2) {
      break;
    }
    if (at[1] != 'u' || end - at < 6) {
      *out++ = plain_escape(at[1]);
      at += 2;
      continue;
    }
    std::uint32_t code = hex4(at + 2);
    at += 6;
    if (code >= 0xD800 && code < 0xDC00 && end - at >= 6) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (hex4(at + 2) - 0xDC00);
      at += 6;
    }
    out = put_utf8(out, code);
  }
  return static_cast<std::size_t>(out - begin);
}

void append_unescaped(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.resize(before + text.size() + k_unescape_slack);
  out.resize(before + unescape(text, out.data() + before));
}

}  // namespace batchllm::json
