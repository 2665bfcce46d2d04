// SPDX-License-Identifier: Apache-2.0
#include "core/answer_fields.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

constexpr std::string_view k_types = "string, number, integer, boolean, object, enum(a, b), TYPE[]";
constexpr int k_deepest_list = 4;

// What people write who think of another language.
constexpr auto k_other_names = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"str", "string"},
    {"text", "string"},
    {"int", "integer"},
    {"float", "number"},
    {"double", "number"},
    {"decimal", "number"},
    {"bool", "boolean"},
    {"dict", "object"},
    {"json", "object"},
    {"list", "string[]"},
    {"array", "string[]"},
    {"choice", "enum(…)"},
    {"oneof", "enum(…)"},
});

bool is_space(char byte) noexcept {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct Field {
  std::string name;
  std::string schema;  // JSON
  bool is_optional = false;
};

class FieldsReader {
 public:
  explicit FieldsReader(std::string_view text) : text_(text) {}

  std::vector<Field> read() {
    if (!is_utf8(text_)) {
      throw Error(ErrorCode::usage, "the fields are not well-formed UTF-8");
    }
    std::vector<Field> fields;
    skip_space();
    while (true) {
      const std::size_t start = at_;
      fields.push_back(field());
      if (std::any_of(fields.begin(), fields.end() - 1, [&](const Field& other) {
            return other.name == fields.back().name;
          })) {
        refuse(start, fmt::format("the field {} is there twice", shown(fields.back().name)));
      }
      if (at_ == text_.size()) {
        return fields;
      }
      if (!take(',')) {
        refuse(at_, fmt::format("expected a comma, found {}", here()));
      }
      // Who edits lists likes a comma at the end.
      if (at_ == text_.size()) {
        return fields;
      }
    }
  }

 private:
  [[noreturn]] void refuse(std::size_t at, const std::string& what, std::string hint = {}) const {
    const std::size_t column = character_count(text_.substr(0, at)) + 1;
    if (hint.empty()) {
      hint =
          R"(for example: label:enum(bug, question), confidence:number, tags:string[], note?:string)";
    }
    throw Error(ErrorCode::usage, fmt::format("column {}: {}", column, what), std::move(hint))
        .with_detail("column", std::to_string(column));
  }

  static std::string shown(std::string_view text) { return one_line(text, 60); }

  // What stands at this place, for a message.
  std::string here() const {
    return at_ == text_.size() ? "the end"
                               : fmt::format("\"{}\"", character_prefix(text_.substr(at_), 1));
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) {
      ++at_;
    }
  }

  // Takes `sign` and the space behind it, when it is next.
  bool take(char sign) {
    if (at_ == text_.size() || text_[at_] != sign) {
      return false;
    }
    ++at_;
    skip_space();
    return true;
  }

  Field field() {
    Field field;
    field.name = word("the name of a field");
    field.is_optional = take('?');
    if (!take(':')) {
      refuse(
          at_,
          fmt::format("expected a colon and a type after {}, found {}", shown(field.name), here()),
          fmt::format("types: {}", k_types));
    }
    field.schema = type();
    if (at_ < text_.size() && text_[at_] == '"') {
      // Goes into the object that the type has made.
      field.schema.pop_back();
      field.schema += ",\"description\":" + json_string(quoted()) + "}";
    }
    return field;
  }

  // A run of characters that are no signs, or what stands in quotes.
  std::string word(std::string_view what) {
    if (at_ < text_.size() && text_[at_] == '"') {
      const std::size_t start = at_;
      std::string text = quoted();
      if (text.empty()) {
        refuse(start, fmt::format("{} is empty", what));
      }
      return text;
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) &&
           std::string_view(":,?()[]\"").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    if (at_ == start) {
      refuse(at_, fmt::format("expected {}, found {}", what, here()));
    }
    const std::string_view text = text_.substr(start, at_ - start);
    skip_space();
    return std::string(text);
  }

  std::string quoted() {
    const std::size_t start = at_;
    std::string text;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      const bool is_escape = text_[at_] == '\\' && at_ + 1 < text_.size() &&
                             (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\');
      at_ += is_escape ? 1 : 0;
      text += text_[at_];
    }
    if (at_ == text_.size()) {
      refuse(start, "this quote is not closed");
    }
    ++at_;
    skip_space();
    return text;
  }

  std::string type() {
    const std::size_t start = at_;
    const std::string name = word("a type");
    std::string schema;
    if (name == "enum") {
      schema = enumeration();
    } else if (name == "string" || name == "number" || name == "integer" || name == "boolean" ||
               name == "object") {
      schema = fmt::format(R"({{"type":"{}"}})", name);
    } else {
      refuse_type(start, name);
    }
    for (int depth = 0; take('['); ++depth) {
      if (!take(']')) {
        refuse(at_, fmt::format("expected ] after [, found {}", here()));
      }
      if (depth == k_deepest_list) {
        refuse(start, "a list in a list in a list in a list is the most");
      }
      schema = fmt::format(R"({{"type":"array","items":{}}})", schema);
    }
    return schema;
  }

  // The values of an enum are strings; the type says so to those who look for it.
  std::string enumeration() {
    if (!take('(')) {
      refuse(at_, fmt::format("expected ( and the values after enum, found {}", here()));
    }
    std::vector<std::string> values;
    do {
      const std::size_t start = at_;
      values.push_back(enum_value());
      if (std::find(values.begin(), values.end() - 1, values.back()) != values.end() - 1) {
        refuse(start, fmt::format("the value {} is there twice", shown(values.back())));
      }
    } while (take(','));
    if (!take(')')) {
      refuse(at_, fmt::format("expected a comma or ), found {}", here()));
    }
    std::string schema = R"({"type":"string","enum":[)";
    for (const auto& value : values) {
      schema += &value == values.data() ? "" : ",";
      append_json_string(schema, value);
    }
    return schema + "]}";
  }

  // Words with spaces between them need no quotes here: enum(feature request, bug).
  std::string enum_value() {
    std::string value = word("a value");
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ')') {
      value += ' ';
      value += word("a comma or )");
    }
    return value;
  }

  [[noreturn]] void refuse_type(std::size_t start, const std::string& name) const {
    const std::string lower = lowercase(name);
    const auto other = std::find_if(k_other_names.begin(),
                                    k_other_names.end(),
                                    [&](const auto& entry) { return entry.first == lower; });
    const auto near =
        nearest_name(name, {"string", "number", "integer", "boolean", "object", "enum"});
    const std::string meant = other != k_other_names.end() ? std::string(other->second)
                              : near                       ? *near
                                                           : std::string();
    refuse(start,
           fmt::format("unknown type {}", shown(name)),
           meant.empty() ? fmt::format("types: {}", k_types)
                         : fmt::format("did you mean {}?  types: {}", meant, k_types));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string schema_of_fields(std::string_view fields) {
  const auto read = FieldsReader(fields).read();
  std::string properties;
  std::string required;
  for (const Field& field : read) {
    properties += properties.empty() ? "" : ",";
    append_json_string(properties, field.name);
    properties += ':';
    properties += field.schema;
    if (!field.is_optional) {
      required += required.empty() ? "" : ",";
      append_json_string(required, field.name);
    }
  }
  return fmt::format(
      R"({{"type":"object","properties":{{{}}},"required":[{}],"additionalProperties":false}})",
      properties,
      required);
}

}  // namespace batchllm
