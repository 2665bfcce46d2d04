// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/schema_answer.h"

#include "adapters/simulator/random_draw.h"
#include "core/json_text.h"
#include "core/text.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace batchllm::simulator {
namespace {

namespace dom = simdjson::dom;

constexpr int k_deepest = 24;
constexpr int k_most_nodes = 10'000;
constexpr std::int64_t k_most_items = 16;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> k_formats = {{
    {"date", "2026-01-15"},
    {"date-time", "2026-01-15T12:00:00Z"},
    {"email", "someone@example.com"},
    {"uri", "https://example.com/"},
    {"uuid", "5f0c6c1e-8f0a-4c1e-9d3b-2a1f4b5c6d7e"},
}};

class SchemaWriter {
 public:
  SchemaWriter(std::string& out, dom::element root, std::string_view text)
      : out_(out),
        root_(root),
        text_(text) {}

  bool write(dom::element schema, std::uint64_t bits, int depth);

 private:
  bool write_type(dom::element schema, std::string_view type, std::uint64_t bits, int depth);
  bool write_object(dom::element schema, std::uint64_t bits, int depth);
  bool write_array(dom::element schema, std::uint64_t bits, int depth);
  void write_number(dom::element schema, std::uint64_t bits);
  void write_string(dom::element schema);

  std::string& out_;
  dom::element root_;
  std::string_view text_;
  int nodes_ = 0;
};

// The type to give: the one named, the first that is not "null", or what the keywords suggest.
std::string_view type_of(dom::element schema) {
  std::string_view type;
  dom::array types;
  if (schema["type"].get(type) == simdjson::SUCCESS) {
    return type;
  }
  if (schema["type"].get(types) == simdjson::SUCCESS) {
    for (const dom::element one : types) {
      if (one.get(type) == simdjson::SUCCESS && type != "null") {
        return type;
      }
    }
    return "null";
  }
  if (schema["properties"].error() == simdjson::SUCCESS) {
    return "object";
  }
  return schema["items"].error() == simdjson::SUCCESS ? "array" : "string";
}

bool SchemaWriter::write(dom::element schema, std::uint64_t bits, int depth) {
  if (depth > k_deepest || ++nodes_ > k_most_nodes) {
    return false;
  }
  dom::element found;
  dom::array choices;
  std::string_view reference;
  if (schema["$ref"].get(reference) == simdjson::SUCCESS) {
    return reference.substr(0, 1) == "#" &&
           root_.at_pointer(reference.substr(1)).get(found) == simdjson::SUCCESS &&
           write(found, bits, depth + 1);
  }
  if (schema["const"].get(found) == simdjson::SUCCESS) {
    out_.append(simdjson::minify(found));
    return true;
  }
  if (schema["enum"].get(choices) == simdjson::SUCCESS && choices.size() > 0) {
    out_.append(simdjson::minify(choices.at(index_draw(bits, choices.size())).value_unsafe()));
    return true;
  }
  for (const char* keyword : {"anyOf", "oneOf", "allOf"}) {
    if (schema[keyword].get(choices) == simdjson::SUCCESS && choices.size() > 0) {
      return write(choices.at(0).value_unsafe(), bits, depth + 1);
    }
  }
  return write_type(schema, type_of(schema), bits, depth);
}

bool SchemaWriter::write_type(dom::element schema,
                              std::string_view type,
                              std::uint64_t bits,
                              int depth) {
  // Google's own schemas have their types in capitals.
  const auto is = [type](std::string_view name) { return equals_ignoring_case(type, name); };
  if (is("object")) {
    return write_object(schema, bits, depth);
  }
  if (is("array")) {
    return write_array(schema, bits, depth);
  }
  if (is("number") || is("integer")) {
    write_number(schema, bits);  // a whole one fits both
  } else if (is("boolean")) {
    out_.append((bits & 1U) != 0 ? "true" : "false");
  } else if (is("null")) {
    out_.append("null");
  } else {
    write_string(schema);
  }
  return true;
}

bool SchemaWriter::write_object(dom::element schema, std::uint64_t bits, int depth) {
  dom::object properties;
  out_.push_back('{');
  if (schema["properties"].get(properties) == simdjson::SUCCESS) {
    bool first = true;
    for (const dom::key_value_pair property : properties) {
      if (!std::exchange(first, false)) {
        out_.push_back(',');
      }
      append_json_string(out_, property.key);
      out_.push_back(':');
      bits = mix(bits, property.key.size());
      if (!write(property.value, bits, depth + 1)) {
        return false;
      }
    }
  }
  out_.push_back('}');
  return true;
}

bool SchemaWriter::write_array(dom::element schema, std::uint64_t bits, int depth) {
  std::int64_t count = 1;
  dom::element items;
  if (schema["minItems"].get(count) != simdjson::SUCCESS) {
    count = 1;
  }
  count = std::clamp<std::int64_t>(count, 1, k_most_items);
  out_.push_back('[');
  if (schema["items"].get(items) == simdjson::SUCCESS) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (i > 0) {
        out_.push_back(',');
      }
      bits = mix(bits, static_cast<std::uint64_t>(i));
      if (!write(items, bits, depth + 1)) {
        return false;
      }
    }
  }
  out_.push_back(']');
  return true;
}

void SchemaWriter::write_number(dom::element schema, std::uint64_t bits) {
  double least = 0;
  double most = 0;
  const bool has_least = schema["minimum"].get(least) == simdjson::SUCCESS;
  const bool has_most = schema["maximum"].get(most) == simdjson::SUCCESS;
  if (!has_least) {
    least = has_most ? std::min(0.0, most) : 0;
  }
  if (!has_most) {
    most = std::max(least + 100, 100.0);
  }
  constexpr double k_widest = 1e15;
  least = std::clamp(std::ceil(least), -k_widest, k_widest);
  most = std::clamp(std::floor(most), least, k_widest);
  const auto span = static_cast<std::uint64_t>(most - least) + 1;
  append_integer(
      out_, static_cast<std::int64_t>(least) + static_cast<std::int64_t>(index_draw(bits, span)));
}

void SchemaWriter::write_string(dom::element schema) {
  std::string_view format;
  if (schema["format"].get(format) == simdjson::SUCCESS) {
    for (const auto& [name, example] : k_formats) {
      if (name == format) {
        append_json_string(out_, example);
        return;
      }
    }
  }
  append_json_string(out_, text_);
}

}  // namespace

bool append_schema_answer(std::string& out,
                          std::string_view schema,
                          std::string_view text,
                          std::uint64_t bits) {
  const std::size_t before = out.size();
  dom::parser parser;
  dom::element root;
  if (parser.parse(schema.data(), schema.size()).get(root) == simdjson::SUCCESS &&
      root.is_object() && SchemaWriter(out, root, text).write(root, bits, 0)) {
    return true;
  }
  out.resize(before);
  return false;
}

}  // namespace batchllm::simulator
