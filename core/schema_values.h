// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/schema_nodes.h"

#include <simdjson.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// An element that is known to be of a kind, by value: simdjson's own value_unsafe gives references
// into a temporary, which a range-for outlives.
simdjson::dom::array array_of(simdjson::dom::element element) noexcept;
simdjson::dom::object object_of(simdjson::dom::element element) noexcept;

// One value of an answer, looked at once: what every rule asks for.
struct SchemaValue {
  SchemaTypes type = k_type_null;  // one bit
  SchemaNumber number = 0;
  std::string_view text;
  simdjson::dom::element element;  // not of a property's name

  static SchemaValue of(simdjson::dom::element element) noexcept;
  static SchemaValue of_name(std::string_view name) noexcept;
};

// Equal as JSON Schema has it (2020-12 core, 4.2.2): numbers by value, objects in any order.
bool same_value(simdjson::dom::element a, simdjson::dom::element b) noexcept;

// Whether `number` is a whole multiple of `step`, both taken as the decimal numbers that they are
// written as: 0.0075 is one of 0.0001, though no double is.
bool is_multiple(SchemaNumber number, SchemaNumber step) noexcept;

// Memory for looking for equals, kept from one answer to the next.
struct EqualsRoom {
  std::vector<std::pair<std::size_t, std::size_t>> hashes;  // hash, number of the item
  std::vector<simdjson::dom::element> items;
  std::vector<std::string_view> keys;
};

// The numbers of two equal items of `array`; nothing when all differ. Sorts hashes, so that long
// arrays cost little more than short ones.
std::optional<std::pair<std::size_t, std::size_t>> find_equals(simdjson::dom::array array,
                                                               EqualsRoom& room);

// Whether an object anywhere in `element` has a key twice.
bool has_key_twice(simdjson::dom::element element, EqualsRoom& room);

// "string", "number", …; of several bits: "string or null".
std::string type_names(SchemaTypes types);

// The value in a message: as JSON, cut to a few words.
std::string shown_value(simdjson::dom::element element);

}  // namespace batchllm
