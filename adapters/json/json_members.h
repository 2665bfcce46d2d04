// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace batchllm::json {

enum class ValueKind { object, array, string, number, boolean, null };

// One member of an object, as it is spelled.
struct Member {
  std::string_view key;  // between the quotes, escapes as they are
  std::string_view
      value;  // strings: between the quotes, escapes as they are; else the value's text
  ValueKind kind = ValueKind::null;
};

// Walks the members of one object, in order. The text must be JSON already (checked by a parser):
// the walk only finds where things begin and end.
class MemberWalk {
 public:
  explicit MemberWalk(std::string_view object) noexcept;

  // False after the last member.
  bool next(Member& member) noexcept;

 private:
  const char* at_;
  const char* end_;
};

// The same walk along the tokens that a parser found: it looks at none of the bytes in
// between.
class TokenWalk {
 public:
  // `tokens` are the offsets in `object` of its brackets, colons, commas and of the first bytes of
  // strings, numbers and words, in order, from the opening bracket to the closing one.
  TokenWalk(std::string_view object, std::span<const std::uint32_t> tokens) noexcept;

  // False after the last member.
  bool next(Member& member) noexcept;

 private:
  std::string_view object_;
  std::span<const std::uint32_t> tokens_;
  std::size_t at_ = 1;  // the next member's first token
};

// The kind of the value that begins with `first`.
ValueKind kind_of(char first) noexcept;

// Writes a character, in four bytes at most; returns what is behind it.
char* put_utf8(char* out, std::uint32_t code) noexcept;

// Appends a valid JSON string's inside without its escapes.
void append_unescaped(std::string& out, std::string_view text);

// The same into `out`, which has room for text.size() + k_unescape_slack bytes; returns how many
// bytes the text has.
constexpr std::size_t k_unescape_slack = 16;
std::size_t unescape(std::string_view text, char* out) noexcept;

}  // namespace batchllm::json
