// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace batchllm::json {

enum class ValueKind { object, array, string, number, boolean, null };

// One member of an object, as it is spelled.
struct Member {
  std::string_view key;  // between the quotes, escapes as they are
  bool key_escaped = false;
  std::string_view value;  // strings: between the quotes, escapes as they are; else the value's text
  ValueKind kind = ValueKind::null;
  bool value_escaped = false;
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

// The kind of the value that begins with `first`.
ValueKind kind_of(char first) noexcept;

// Appends a valid JSON string's inside without its escapes.
void append_unescaped(std::string& out, std::string_view text);

// The same into `out`, which has room for text.size() bytes; returns how many were written.
std::size_t unescape(std::string_view text, char* out) noexcept;

}  // namespace batchllm::json
