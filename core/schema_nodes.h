// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a schema is compiled to: nodes in one list that name each other by number. Only
// json_schema and schema_* include this.

#include "core/json_schema.h"
#include "core/pattern.h"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// A place in a list of CompiledSchema.
using SchemaIndex = std::uint32_t;
constexpr SchemaIndex k_no_index = std::numeric_limits<SchemaIndex>::max();

// The kinds of values, as bits: a number with a fraction is a number and no integer.
using SchemaTypes = std::uint8_t;
constexpr SchemaTypes k_type_null = 1;
constexpr SchemaTypes k_type_boolean = 2;
constexpr SchemaTypes k_type_whole = 4;
constexpr SchemaTypes k_type_fraction = 8;
constexpr SchemaTypes k_type_string = 16;
constexpr SchemaTypes k_type_array = 32;
constexpr SchemaTypes k_type_object = 64;
constexpr SchemaTypes k_type_number = k_type_whole | k_type_fraction;
constexpr SchemaTypes k_type_any = 127;

// Every number that the JSON reader takes (64-bit whole ones, doubles) is one of these exactly.
using SchemaNumber = long double;
static_assert(std::numeric_limits<SchemaNumber>::digits >= 64);

// How often something may occur.
struct SchemaRange {
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

  bool holds(std::uint64_t count) const noexcept { return count >= least && count <= most; }
};

struct NumberRules {
  struct Bound {
    SchemaNumber value = 0;
    std::string text;  // as the schema spells it
  };

  std::optional<Bound> minimum;
  std::optional<Bound> maximum;
  std::optional<Bound> exclusive_minimum;
  std::optional<Bound> exclusive_maximum;
  std::optional<Bound> multiple_of;
};

struct TextRules {
  SchemaRange length;
  SchemaIndex pattern = k_no_index;
};

struct ArrayRules {
  SchemaRange count;
  bool is_unique = false;
  std::vector<SchemaIndex> prefix;
  SchemaIndex items = k_no_index;
  SchemaIndex contains = k_no_index;
  SchemaRange contained = {1, std::numeric_limits<std::uint64_t>::max()};
};

struct ObjectRules {
  // A name that `properties` or `required` knows.
  struct Property {
    std::string key;
    SchemaIndex node = k_no_index;
    bool is_required = false;
  };

  struct Dependency {
    std::string key;
    std::vector<std::string> needed;  // of dependentRequired
    SchemaIndex node = k_no_index;    // of dependentSchemas
  };

  SchemaRange count;
  std::vector<Property> properties;  // in the order of the schema
  std::vector<std::uint32_t> by_key;
  std::uint32_t required_count = 0;
  std::vector<std::pair<SchemaIndex, SchemaIndex>> patterns;  // pattern, node
  SchemaIndex additional = k_no_index;
  SchemaIndex names = k_no_index;
  std::vector<Dependency> dependencies;
};

// Other schemas for the same value.
struct CombinedRules {
  SchemaIndex reference = k_no_index;
  std::vector<SchemaIndex> all;
  std::vector<SchemaIndex> any;
  std::vector<SchemaIndex> one;
  SchemaIndex none = k_no_index;  // of `not`
  SchemaIndex condition = k_no_index;
  SchemaIndex then = k_no_index;
  SchemaIndex otherwise = k_no_index;
};

// The values of `enum`, or the one of `const`: a range of CompiledSchema::values.
struct ValueRules {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::vector<std::string_view> strings;  // sorted; those among them that are strings
};

struct SchemaNode {
  SchemaTypes types = k_type_any;
  bool is_false = false;  // the schema `false`
  SchemaIndex number = k_no_index;
  SchemaIndex text = k_no_index;
  SchemaIndex array = k_no_index;
  SchemaIndex object = k_no_index;
  SchemaIndex combined = k_no_index;
  SchemaIndex allowed = k_no_index;   // ValueRules of `enum`
  SchemaIndex constant = k_no_index;  // ValueRules of `const`
};

struct CompiledSchema {
  std::vector<SchemaNode> nodes;  // the first is the root
  std::vector<NumberRules> numbers;
  std::vector<TextRules> texts;
  std::vector<ArrayRules> arrays;
  std::vector<ObjectRules> objects;
  std::vector<CombinedRules> combined;
  std::vector<ValueRules> value_rules;
  std::vector<Pattern> patterns;

  // The values of every enum and const stand in one document, which stays where it is.
  simdjson::dom::parser values_document;
  std::vector<simdjson::dom::element> values;

  std::vector<SchemaColumn> columns;
  std::string text;
};

}  // namespace batchllm
