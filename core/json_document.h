// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace batchllm {

struct JsonMember;

// One value of a JSON document that somebody else wrote: read-only, and it owns its text, so that
// it outlives what it was read from. Questions of the wrong kind are answered with nothing, never
// with a converted value.
class JsonNode {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  Kind kind() const noexcept { return static_cast<Kind>(value_.index()); }

  bool is_null() const noexcept { return kind() == Kind::null; }

  std::optional<bool> boolean() const noexcept;
  std::optional<std::string_view> string() const noexcept;

  // Numbers. Whole ones only when they are spelled without fraction and exponent and fit;
  // `number_text` is the spelling of the document, for amounts that must not go through a double.
  std::optional<std::int64_t> integer() const noexcept;
  std::optional<std::uint64_t> unsigned_integer() const noexcept;
  std::optional<double> number() const noexcept;
  std::optional<std::string_view> number_text() const noexcept;

  // Of an array; empty when it is none.
  std::span<const JsonNode> items() const noexcept;

  // Of an object, in the order of the document; empty when it is none.
  std::span<const JsonMember> members() const noexcept;

  // The value of a member; nullptr when this is no object or has no such member.
  const JsonNode* find(std::string_view key) const noexcept;

  // The string of a member; nothing when there is no such member or it is no string.
  std::optional<std::string_view> find_string(std::string_view key) const noexcept;

  // As JSON without white space, numbers as they were spelled.
  void append_to(std::string& out) const;
  std::string to_json() const;

 private:
  friend class JsonDocumentReader;

  struct Number {
    std::string text;
  };

  using Array = std::vector<JsonNode>;
  using Object = std::vector<JsonMember>;

  // In the order of Kind.
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

struct JsonMember {
  std::string key;
  JsonNode value;
};

// What a document may cost. A value takes about 40 bytes of memory, a member 72, and its text.
struct JsonLimits {
  std::size_t bytes = std::size_t{16} << 20;
  std::size_t depth = 64;  // arrays and objects inside each other
  std::size_t values = 1'000'000;
};

// Reads a whole document (RFC 8259), strictly: one value, well-formed UTF-8, no mark at its start,
// no key twice in an object, whole numbers within 64 bits, others within a double. The failure
// continues "the body is not usable: …". Thread-safe.
Result<JsonNode> parse_json_document(std::string_view text, const JsonLimits& limits = {});

// Version of simdjson, and the instructions that it uses on this machine: "3.0.1 (haswell)".
std::string simdjson_version();

}  // namespace batchllm
