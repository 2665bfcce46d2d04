// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/docs_schema.h"

#include "daemon/api/docs_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm::daemon {
namespace {

using simdjson::dom::element;

template <typename Value>
bool read(element object, std::string_view name, Value& value) {
  return object[name].get(value) == simdjson::SUCCESS;
}

std::string code(std::string_view text) {
  return "<code>" + escape_html(text) + "</code>";
}

// A JSON value as a person writes it: text without its quotes.
std::string plain(element value) {
  return value.is_string() ? std::string(std::string_view(value)) : simdjson::minify(value);
}

std::string choices_of(element schema, std::string_view name) {
  simdjson::dom::array choices;
  std::string html;
  if (read(schema, name, choices)) {
    for (const element choice : choices) {
      html += (html.empty() ? "" : " or ") + type_html(choice);
    }
  }
  return html;
}

std::string object_type_html(element schema) {
  element values;
  const bool is_map = read(schema, "additionalProperties", values) && values.is_object();
  return is_map ? "map of " + type_html(values) : "object";
}

std::string one_type_html(std::string_view type, element schema) {
  element items;
  if (type == "array" && read(schema, "items", items)) {
    return "array of " + type_html(items);
  }
  return type == "object" ? object_type_html(schema) : escape_html(type);
}

struct Limit {
  std::string_view keyword;
  std::string_view format;  // takes the value
};

constexpr std::array k_limits = {Limit{"const", "always {}"},
                                 Limit{"format", "{}"},
                                 Limit{"pattern", "pattern {}"},
                                 Limit{"minimum", "≥ {}"},
                                 Limit{"exclusiveMinimum", "&gt; {}"},
                                 Limit{"maximum", "≤ {}"},
                                 Limit{"minLength", "at least {} long"},
                                 Limit{"maxLength", "at most {} long"},
                                 Limit{"minItems", "at least {}"},
                                 Limit{"maxItems", "at most {}"},
                                 Limit{"minProperties", "at least {} members"},
                                 Limit{"maxProperties", "at most {} members"},
                                 Limit{"default", "default {}"}};

void append_limit(std::string& html, std::string_view text) {
  html += fmt::format("<span>{}</span>", text);
}

bool is_required(element schema, std::string_view name) {
  simdjson::dom::array names;
  return read(schema, "required", names) &&
         std::any_of(names.begin(), names.end(), [&](element one) {
           return one.is_string() && std::string_view(one) == name;
         });
}

// What stands in an array, or the schema itself: members are shown of both.
element without_array(element schema) {
  element items;
  return read(schema, "items", items) ? items : schema;
}

// What the member says of itself, else the first sentence of what it refers to.
std::string_view description_of(element schema, element schemas) {
  if (const auto own = text_of(schema, "description"); !own.empty()) {
    return own;
  }
  element target;
  const auto name = referred_name(schema);
  if (name.empty() || !read(schemas, name, target)) {
    return {};
  }
  const auto text = text_of(target, "description");
  const auto end = std::min(text.find(". "), text.find(".\n"));
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

std::string member_html(std::string_view name, element schema, element schemas, bool required) {
  std::string html = fmt::format("<dt>{}<span class=\"type\">{}</span>{}</dt>\n<dd>",
                                 code(name),
                                 type_html(schema),
                                 required ? "<span class=\"must\">required</span>" : "");
  html += markdown_html(description_of(schema, schemas));
  html += limits_html(schema);
  const element inner = without_array(schema);
  if (referred_name(inner).empty()) {
    html += members_html(inner, schemas);
  }
  return html + "</dd>\n";
}

}  // namespace

std::string_view referred_name(element schema) {
  const auto reference = text_of(schema, "$ref");
  return reference.substr(reference.rfind('/') + 1);
}

std::vector<std::string_view> type_names(element schema) {
  std::vector<std::string_view> names;
  element type;
  if (!read(schema, "type", type)) {
    return names;
  }
  if (type.is_string()) {
    names.emplace_back(type);
  } else if (type.is_array()) {
    for (const element name : simdjson::dom::array(type)) {
      if (name.is_string()) {
        names.emplace_back(name);
      }
    }
  }
  return names;
}

std::string_view text_of(element object, std::string_view name) {
  std::string_view text;
  return read(object, name, text) ? text : std::string_view();
}

std::string type_html(element schema) {
  if (const auto name = referred_name(schema); !name.empty()) {
    return fmt::format("<a href=\"#schema-{0}\">{0}</a>", escape_html(name));
  }
  for (const auto* choice : {"oneOf", "anyOf"}) {
    if (std::string html = choices_of(schema, choice); !html.empty()) {
      return html;
    }
  }
  std::string html;
  for (const auto type : type_names(schema)) {
    html += (html.empty() ? "" : " or ") + one_type_html(type, schema);
  }
  return html.empty() ? "anything" : html;
}

std::string limits_html(element schema) {
  std::string html;
  for (const Limit& limit : k_limits) {
    element value;
    if (read(schema, limit.keyword, value)) {
      append_limit(html, fmt::format(fmt::runtime(limit.format), code(plain(value))));
    }
  }
  simdjson::dom::array choices;
  if (read(without_array(schema), "enum", choices)) {
    std::string names;
    for (const element choice : choices) {
      names += (names.empty() ? "" : " ") + code(plain(choice));
    }
    append_limit(html, "one of " + names);
  }
  return html.empty() ? html : "<p class=\"limits\">" + html + "</p>\n";
}

std::string members_html(element schema, element schemas) {
  simdjson::dom::object properties;
  if (!read(schema, "properties", properties)) {
    return {};
  }
  std::string html = "<dl>\n";
  for (const auto& [name, property] : properties) {
    html += member_html(name, property, schemas, is_required(schema, name));
  }
  return html + "</dl>\n";
}

std::string schema_html(std::string_view name, element schema, element schemas) {
  const std::string label = escape_html(name);
  return fmt::format(
      "<section class=\"schema\" id=\"schema-{0}\">\n<h3><a href=\"#schema-{0}\">{0}</a>"
      "<span class=\"type\">{1}</span></h3>\n{2}{3}{4}</section>\n",
      label,
      type_html(schema),
      markdown_html(text_of(schema, "description")),
      limits_html(schema),
      members_html(schema, schemas));
}

}  // namespace batchllm::daemon
