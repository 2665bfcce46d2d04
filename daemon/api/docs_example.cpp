// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/docs_example.h"

#include "core/json_text.h"
#include "daemon/api/docs_schema.h"
#include "daemon/api/docs_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm::daemon {
namespace {

using simdjson::dom::element;

constexpr std::size_t k_line_width = 60;  // of the column that examples stand in

// `minified` with a blank behind the commas and colons between values.
std::string spaced(std::string_view minified) {
  std::string out;
  bool in_text = false;
  for (std::size_t i = 0; i < minified.size(); ++i) {
    const char c = minified[i];
    out += c;
    if (c == '\\' && i + 1 < minified.size()) {
      out += minified[++i];
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && (c == ',' || c == ':')) {
      out += ' ';
    }
  }
  return out;
}

class Layout {
 public:
  void append(element value, std::size_t indent) {
    const std::string line = spaced(simdjson::minify(value));
    const auto line_start = out_.rfind('\n') + 1;  // npos + 1 is 0
    if (out_.size() - line_start + line.size() <= k_line_width) {
      out_ += line;
    } else if (value.is_object()) {
      const simdjson::dom::object members = value;
      append_members("{}", indent, members, [&](const auto& member) {
        out_ += json_string(member.key) + ": ";
        append(member.value, indent + 2);
      });
    } else if (value.is_array()) {
      const simdjson::dom::array items = value;
      append_members("[]", indent, items, [&](const auto& item) { append(item, indent + 2); });
    } else {
      out_ += line;
    }
  }

  std::string take() { return std::move(out_); }

 private:
  template <typename Range, typename Append>
  void append_members(std::string_view brackets,
                      std::size_t indent,
                      const Range& range,
                      const Append& append_one) {
    out_ += brackets.front();
    bool is_first = true;
    for (const auto& member : range) {
      out_ += is_first ? "\n" : ",\n";
      out_.append(indent + 2, ' ');
      append_one(member);
      is_first = false;
    }
    out_ += '\n';
    out_.append(indent, ' ');
    out_ += brackets.back();
  }

  std::string out_;
};

std::string example_of_type(std::string_view type, element schema, element schemas) {
  if (type == "object") {
    std::string members;
    simdjson::dom::object properties;
    if (schema["properties"].get(properties) == simdjson::SUCCESS) {
      for (const auto& [name, property] : properties) {
        members += fmt::format("{}{}:{}",
                               members.empty() ? "" : ",",
                               json_string(name),
                               example_of(property, schemas));
      }
    }
    return "{" + members + "}";
  }
  if (type == "array") {
    element items;
    return schema["items"].get(items) == simdjson::SUCCESS ? "[" + example_of(items, schemas) + "]"
                                                           : "[]";
  }
  if (type == "null") {
    return "null";
  }
  if (type == "string") {
    return "\"…\"";
  }
  return type == "boolean" ? "true" : "0";
}

// The end of the JSON string that begins at `at`.
std::size_t string_end(std::string_view json, std::size_t at) {
  std::size_t end = at + 1;
  while (end < json.size() && json[end] != '"') {
    end += json[end] == '\\' ? 2U : 1U;
  }
  return std::min(end + 1, json.size());
}

}  // namespace

std::string example_of(element schema, element schemas) {
  element found;
  if (schema["examples"].at(0).get(found) == simdjson::SUCCESS ||
      schema["const"].get(found) == simdjson::SUCCESS ||
      schema["default"].get(found) == simdjson::SUCCESS ||
      schema["enum"].at(0).get(found) == simdjson::SUCCESS) {
    return simdjson::minify(found);
  }
  if (const auto name = referred_name(schema); !name.empty()) {
    return schemas[name].get(found) == simdjson::SUCCESS ? example_of(found, schemas) : "null";
  }
  for (const auto* choice : {"oneOf", "anyOf"}) {
    if (schema[choice].at(0).get(found) == simdjson::SUCCESS) {
      return example_of(found, schemas);
    }
  }
  const auto types = type_names(schema);
  return example_of_type(types.empty() ? "object" : types.front(), schema, schemas);
}

std::string pretty_json(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(simdjson::padded_string(json)).get(root) != simdjson::SUCCESS) {
    return std::string(json);
  }
  Layout layout;
  layout.append(root, 0);
  return layout.take();
}

std::string pretty_json_html(std::string_view json) {
  const std::string pretty = pretty_json(json);
  const std::string_view text = pretty;
  std::string html;
  std::size_t at = 0;
  const auto mark = [&](std::size_t end, std::string_view part) {
    html +=
        fmt::format("<span class=\"{}\">{}</span>", part, escape_html(text.substr(at, end - at)));
    at = end;
  };
  while (at < text.size()) {
    if (text[at] == '"') {
      const auto end = string_end(text, at);
      mark(end, text.substr(end).starts_with(':') ? "key" : "text");
    } else if (std::string_view("{}[],: \n").find(text[at]) != std::string_view::npos) {
      html += text[at++];
    } else {
      mark(std::min(text.find_first_of(",]} \n", at), text.size()), "value");
    }
  }
  return html;
}

}  // namespace batchllm::daemon
