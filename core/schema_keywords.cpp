// SPDX-License-Identifier: Apache-2.0
// What each keyword of a schema is, and how it becomes a rule.
#include "core/schema_compiler.h"
#include "core/schema_draft.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

namespace {

// Keywords of this draft or an older one that are not checked, and what to do about it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> k_unsupported = {{
    {"unevaluatedProperties", "use additionalProperties"},
    {"unevaluatedItems", "use items"},
    {"$dynamicRef", "use $ref"},
    {"$dynamicAnchor", "use $anchor"},
    {"$recursiveRef", "use $ref"},
    {"$recursiveAnchor", "use $anchor"},
    {"$vocabulary", "it belongs into a meta-schema"},
    {"additionalItems", "use prefixItems and items"},
    {"dependencies", "use dependentRequired or dependentSchemas"},
}};

constexpr std::array<std::pair<std::string_view, SchemaTypes>, 7> k_types = {{
    {"string", k_type_string},
    {"number", k_type_number},
    {"integer", k_type_whole},
    {"boolean", k_type_boolean},
    {"object", k_type_object},
    {"array", k_type_array},
    {"null", k_type_null},
}};

SchemaTypes type_named(const JsonNode& value, const std::string& place) {
  const auto name = value.string();
  if (!name) {
    refuse_schema(place, "a type must be a string");
  }
  const auto found = std::find_if(
      k_types.begin(), k_types.end(), [&](const auto& type) { return type.first == *name; });
  if (found != k_types.end()) {
    return found->second;
  }
  std::vector<std::string> names;
  std::transform(k_types.begin(), k_types.end(), std::back_inserter(names), [](const auto& type) {
    return std::string(type.first);
  });
  const auto near = nearest_name(*name, names);
  refuse_schema(place,
                fmt::format("unknown type \"{}\"; {}",
                            one_line(*name, 60),
                            near ? fmt::format("did you mean \"{}\"?", *near)
                                 : fmt::format("types are {}", name_list(names))));
}

std::string_view checked_string(const JsonNode& value, const std::string& place) {
  const auto text = value.string();
  if (!text) {
    refuse_schema(place, "must be a string");
  }
  return *text;
}

void check_kind(const JsonNode& value, JsonNode::Kind kind, const std::string& place) {
  if (value.kind() != kind) {
    refuse_schema(
        place, fmt::format("must be {}", kind == JsonNode::Kind::array ? "an array" : "an object"));
  }
}

// Exactly the number that stands there: whole ones do not go through a double.
std::optional<SchemaNumber> exact_number(const JsonNode& value) {
  if (const auto whole = value.integer()) {
    return static_cast<SchemaNumber>(*whole);
  }
  if (const auto whole = value.unsigned_integer()) {
    return static_cast<SchemaNumber>(*whole);
  }
  const auto number = value.number();
  return number ? std::optional(static_cast<SchemaNumber>(*number)) : std::nullopt;
}

std::vector<std::string_view> distinct_strings(const JsonNode& value, const std::string& place) {
  check_kind(value, JsonNode::Kind::array, place);
  std::vector<std::string_view> texts;
  for (const auto& item : value.items()) {
    texts.push_back(checked_string(item, schema_place(place, std::to_string(texts.size()))));
  }
  auto sorted = texts;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    refuse_schema(place, "names something twice");
  }
  return texts;
}

}  // namespace

// Looked through in this order: what schemas use most comes first.
std::span<const SchemaCompiler::Keyword> SchemaCompiler::keywords() noexcept {
  using S = SchemaCompiler;
  static constexpr auto k_keywords = std::to_array<Keyword>({
      {"type", &S::set_type},
      {"description", &S::note},
      {"enum", &S::set_enum},
      {"const", &S::set_const},
      {"properties", &S::set_properties},
      {"required", &S::set_required},
      {"additionalProperties", &S::set_schema},
      {"items", &S::set_schema},
      {"title", &S::note},
      {"$ref", &S::set_reference},
      {"anyOf", &S::set_schema_list},
      {"allOf", &S::set_schema_list},
      {"oneOf", &S::set_schema_list},
      {"not", &S::set_schema},
      {"if", &S::set_schema},
      {"then", &S::set_schema},
      {"else", &S::set_schema},
      {"minimum", &S::set_bound},
      {"maximum", &S::set_bound},
      {"exclusiveMinimum", &S::set_bound},
      {"exclusiveMaximum", &S::set_bound},
      {"multipleOf", &S::set_bound},
      {"minLength", &S::set_range},
      {"maxLength", &S::set_range},
      {"minItems", &S::set_range},
      {"maxItems", &S::set_range},
      {"minContains", &S::set_range},
      {"maxContains", &S::set_range},
      {"minProperties", &S::set_range},
      {"maxProperties", &S::set_range},
      {"pattern", &S::set_pattern},
      {"uniqueItems", &S::set_unique},
      {"prefixItems", &S::set_schema_list},
      {"contains", &S::set_schema},
      {"patternProperties", &S::set_pattern_properties},
      {"propertyNames", &S::set_schema},
      {"dependentRequired", &S::set_dependent_required},
      {"dependentSchemas", &S::set_dependent_schemas},
      {"$defs", &S::add_definitions},
      {"definitions", &S::add_definitions},
      {"$anchor", &S::set_anchor},
      {"$id", &S::set_id},
      {"$schema", &S::set_dialect},
      {"$comment", &S::note},
      {"default", &S::note},
      {"examples", &S::note},
      {"deprecated", &S::note},
      {"readOnly", &S::note},
      {"writeOnly", &S::note},
      {"format", &S::note},
      {"contentEncoding", &S::note},
      {"contentMediaType", &S::note},
      {"contentSchema", &S::note},
  });
  return k_keywords;
}

void SchemaCompiler::add_keywords(Draft& draft) {
  for (const auto& [key, value] : draft.schema.members()) {
    draft.keyword = key;
    draft.keyword_place = schema_place(draft.place, key);
    const auto known = keywords();
    const auto found = std::find_if(known.begin(), known.end(), [&name = key](const auto& keyword) {
      return keyword.name == name;
    });
    if (found != known.end()) {
      (this->*found->handle)(draft, value);
    } else if (!key.starts_with("x-")) {
      refuse_keyword(draft);
    }
  }
}

void SchemaCompiler::refuse_keyword(const Draft& draft) {
  const std::string shown = one_line(draft.keyword, 60);
  for (const auto& [name, instead] : k_unsupported) {
    if (name == draft.keyword) {
      refuse_schema(draft.keyword_place,
                    fmt::format("the keyword {} is not supported; {}", shown, instead));
    }
  }
  std::vector<std::string> names;
  for (const auto& keyword : keywords()) {
    names.emplace_back(keyword.name);
  }
  const auto near = nearest_name(draft.keyword, names);
  refuse_schema(draft.keyword_place,
                near ? fmt::format("unknown keyword {}; did you mean {}?", shown, *near)
                     : fmt::format("unknown keyword {}; an own one starts with x-", shown));
}

void SchemaCompiler::note(Draft& draft, const JsonNode& value) {
  (void)draft;
  (void)value;
}

void SchemaCompiler::set_type(Draft& draft, const JsonNode& value) {
  if (value.kind() != JsonNode::Kind::array) {
    draft.types = type_named(value, draft.keyword_place);
    return;
  }
  if (value.items().empty()) {
    refuse_schema(draft.keyword_place, "names no type");
  }
  (void)distinct_strings(value, draft.keyword_place);
  draft.types = 0;
  for (const auto& item : value.items()) {
    draft.types = static_cast<SchemaTypes>(draft.types | type_named(item, draft.keyword_place));
  }
}

SchemaIndex SchemaCompiler::add_values(std::span<const JsonNode> values) {
  const auto first = values_count_;
  for (const auto& value : values) {
    values_json_ += values_json_.empty() ? '[' : ',';
    value.append_to(values_json_);
  }
  values_count_ += static_cast<std::uint32_t>(values.size());
  compiled_->value_rules.push_back({first, static_cast<std::uint32_t>(values.size()), {}});
  return static_cast<SchemaIndex>(compiled_->value_rules.size() - 1);
}

void SchemaCompiler::set_enum(Draft& draft, const JsonNode& value) {
  check_kind(value, JsonNode::Kind::array, draft.keyword_place);
  draft.allowed = add_values(value.items());
}

void SchemaCompiler::set_const(Draft& draft, const JsonNode& value) {
  draft.constant = add_values({&value, 1});
}

void SchemaCompiler::set_bound(Draft& draft, const JsonNode& value) {
  const auto number = exact_number(value);
  if (!number) {
    refuse_schema(draft.keyword_place, "must be a number");
  }
  NumberRules& rules = Draft::made(draft.number);
  auto& bound = draft.keyword == "minimum"            ? rules.minimum
                : draft.keyword == "maximum"          ? rules.maximum
                : draft.keyword == "exclusiveMinimum" ? rules.exclusive_minimum
                : draft.keyword == "exclusiveMaximum" ? rules.exclusive_maximum
                                                      : rules.multiple_of;
  if (&bound == &rules.multiple_of && *number <= 0) {
    refuse_schema(draft.keyword_place, "must be greater than 0");
  }
  bound = {*number, std::string(*value.number_text())};
}

void SchemaCompiler::set_range(Draft& draft, const JsonNode& value) {
  const auto number = exact_number(value);
  if (!number || *number < 0 || *number != std::floor(*number)) {
    refuse_schema(draft.keyword_place, "must be a whole number, 0 or more");
  }
  const std::string_view of = draft.keyword.substr(3);
  SchemaRange& range = of == "Length"     ? Draft::made(draft.text).length
                       : of == "Items"    ? Draft::made(draft.array).count
                       : of == "Contains" ? Draft::made(draft.array).contained
                                          : Draft::made(draft.object).count;
  constexpr SchemaNumber k_countable = 1e15L;
  auto& bound = draft.keyword.starts_with("min") ? range.least : range.most;
  bound = static_cast<std::uint64_t>(std::min(*number, k_countable));
}

SchemaIndex SchemaCompiler::add_pattern(std::string_view text, const std::string& place) {
  auto pattern = Pattern::compile(text, PatternDialect::ecma);
  if (!pattern) {
    refuse_schema(
        place,
        fmt::format(
            "the pattern {} is not usable: {}", one_line(text, 60), pattern.error().message));
  }
  compiled_->patterns.push_back(*std::move(pattern));
  return static_cast<SchemaIndex>(compiled_->patterns.size() - 1);
}

void SchemaCompiler::set_pattern(Draft& draft, const JsonNode& value) {
  Draft::made(draft.text).pattern =
      add_pattern(checked_string(value, draft.keyword_place), draft.keyword_place);
}

void SchemaCompiler::set_unique(Draft& draft, const JsonNode& value) {
  if (!value.boolean()) {
    refuse_schema(draft.keyword_place, "must be true or false");
  }
  Draft::made(draft.array).is_unique = *value.boolean();
}

void SchemaCompiler::set_schema(Draft& draft, const JsonNode& value) {
  if (draft.keyword == "items" && value.kind() == JsonNode::Kind::array) {
    refuse_schema(draft.keyword_place, "a list of schemas is written as prefixItems");
  }
  const SchemaIndex node = add(value, draft.keyword_place);
  if (draft.keyword == "items") {
    Draft::made(draft.array).items = node;
  } else if (draft.keyword == "contains") {
    Draft::made(draft.array).contains = node;
  } else if (draft.keyword == "additionalProperties") {
    Draft::made(draft.object).additional = node;
  } else if (draft.keyword == "propertyNames") {
    Draft::made(draft.object).names = node;
  } else {
    CombinedRules& rules = Draft::made(draft.combined);
    (draft.keyword == "not"    ? rules.none
     : draft.keyword == "if"   ? rules.condition
     : draft.keyword == "then" ? rules.then
                               : rules.otherwise) = node;
  }
}

void SchemaCompiler::set_schema_list(Draft& draft, const JsonNode& value) {
  check_kind(value, JsonNode::Kind::array, draft.keyword_place);
  if (value.items().empty()) {
    refuse_schema(draft.keyword_place, "must hold a schema");
  }
  std::vector<SchemaIndex> nodes;
  for (const auto& item : value.items()) {
    nodes.push_back(add(item, schema_place(draft.keyword_place, std::to_string(nodes.size()))));
  }
  if (draft.keyword == "prefixItems") {
    Draft::made(draft.array).prefix = std::move(nodes);
    return;
  }
  CombinedRules& rules = Draft::made(draft.combined);
  (draft.keyword == "allOf"   ? rules.all
   : draft.keyword == "anyOf" ? rules.any
                              : rules.one) = std::move(nodes);
}

void SchemaCompiler::set_properties(Draft& draft, const JsonNode& value) {
  check_kind(value, JsonNode::Kind::object, draft.keyword_place);
  ObjectRules& rules = Draft::made(draft.object);
  for (const auto& [key, schema] : value.members()) {
    rules.properties.push_back({key, add(schema, schema_place(draft.keyword_place, key)), false});
  }
}

void SchemaCompiler::set_pattern_properties(Draft& draft, const JsonNode& value) {
  check_kind(value, JsonNode::Kind::object, draft.keyword_place);
  ObjectRules& rules = Draft::made(draft.object);
  for (const auto& [key, schema] : value.members()) {
    const std::string place = schema_place(draft.keyword_place, key);
    const SchemaIndex pattern = add_pattern(key, place);
    rules.patterns.emplace_back(pattern, add(schema, place));
  }
}

void SchemaCompiler::set_required(Draft& draft, const JsonNode& value) {
  draft.required = distinct_strings(value, draft.keyword_place);
  Draft::made(draft.object);
}

void SchemaCompiler::set_dependent_required(Draft& draft, const JsonNode& value) {
  check_kind(value, JsonNode::Kind::object, draft.keyword_place);
  ObjectRules& rules = Draft::made(draft.object);
  for (const auto& [key, names] : value.members()) {
    const auto needed = distinct_strings(names, schema_place(draft.keyword_place, key));
    rules.dependencies.push_back({key, {needed.begin(), needed.end()}, k_no_index});
  }
}

void SchemaCompiler::set_dependent_schemas(Draft& draft, const JsonNode& value) {
  check_kind(value, JsonNode::Kind::object, draft.keyword_place);
  ObjectRules& rules = Draft::made(draft.object);
  for (const auto& [key, schema] : value.members()) {
    rules.dependencies.push_back({key, {}, add(schema, schema_place(draft.keyword_place, key))});
  }
}

void SchemaCompiler::add_definitions(Draft& draft, const JsonNode& value) {
  check_kind(value, JsonNode::Kind::object, draft.keyword_place);
  for (const auto& [key, schema] : value.members()) {
    add(schema, schema_place(draft.keyword_place, key));
  }
}

}  // namespace batchllm
