// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// Appends `text` as the inside of a JSON string (RFC 8259): quotes, backslashes and control
// characters escaped, everything else as it is. `text` must be UTF-8.
void append_json_escaped(std::string& out, std::string_view text);

// Appends `text` in quotes; a view with a null data pointer becomes `null`.
void append_json_string(std::string& out, std::string_view text);

std::string json_string(std::string_view text);

// Decimal, without locale and allocation.
void append_integer(std::string& out, std::int64_t number);
void append_integer(std::string& out, std::uint64_t number);

// What a path found in a JSON value: strings unescaped, everything else in the spelling of the
// input.
struct JsonValue {
  std::string text;
  bool is_json = false;  // a number, boolean, array or object; not a string
  bool is_null = false;
};

// Follows `path` (".a.b", "[0].c", ".a[2]") into `json`. nullopt when `json` is not JSON or has
// nothing there.
std::optional<JsonValue> find_in_json(std::string_view json, std::string_view path);

// True for a complete, valid JSON text (one value).
bool is_json(std::string_view text);

// Builds one JSON object or array, comma by comma; for documents off the row path.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);
  JsonWriter& number(std::int64_t value);
  JsonWriter& number(std::uint64_t value);

  JsonWriter& number(int value) { return number(static_cast<std::int64_t>(value)); }

  JsonWriter& decimal(double value, int digits);  // fixed digits; null when not finite
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // must be JSON already

  const std::string& text() const noexcept { return text_; }

 private:
  void separate();

  std::string text_;
  bool first_ = true;
  bool after_key_ = false;
};

}  // namespace batchllm
