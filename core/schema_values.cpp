// SPDX-License-Identifier: Apache-2.0
#include "core/schema_values.h"

#include "core/json_text.h"
#include "core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <sstream>

namespace batchllm {
namespace {

using simdjson::dom::element_type;

__extension__ using Wide = unsigned __int128;

// mantissa * 10^exponent; the sign does not matter for multiples.
struct Decimal {
  std::uint64_t mantissa = 0;
  int exponent = 0;
};

// Whole numbers of 64 bits as they are, others by the shortest digits that are the same double.
Decimal decimal_of(SchemaNumber number) noexcept {
  const SchemaNumber size = std::fabs(number);
  if (size <= static_cast<SchemaNumber>(std::numeric_limits<std::uint64_t>::max()) &&
      size == std::floor(size)) {
    return {static_cast<std::uint64_t>(size), 0};
  }
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(),
                                          digits.data() + digits.size(),
                                          static_cast<double>(size),
                                          std::chars_format::scientific);
  (void)error;  // 32 characters hold every double: 17 digits, "-1.", "e-308"
  Decimal decimal;
  bool is_fraction = false;
  const char* at = digits.data();
  for (; at != end && *at != 'e'; ++at) {
    if (*at == '.') {
      is_fraction = true;
      continue;
    }
    decimal.mantissa = decimal.mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
    decimal.exponent -= is_fraction ? 1 : 0;
  }
  int exponent = 0;
  if (at != end) {
    at += at[1] == '+' ? 2 : 1;
    std::from_chars(at, end, exponent);
  }
  decimal.exponent += exponent;
  return decimal;
}

std::size_t mixed(std::size_t hash, std::size_t part) noexcept {
  hash ^= part + 0x9e3779b97f4a7c15ULL + (hash << 12U) + (hash >> 4U);
  return hash * 0xff51afd7ed558ccdULL;
}

template <typename T>
T value_of(simdjson::dom::element element) noexcept {
  T value{};
  const auto error = element.get(value);
  (void)error;  // the element is known to be of that kind
  return value;
}

std::string_view string_of(simdjson::dom::element element) noexcept {
  return value_of<std::string_view>(element);
}

bool bool_of(simdjson::dom::element element) noexcept {
  return value_of<bool>(element);
}

SchemaNumber number_of(simdjson::dom::element element) noexcept {
  switch (element.type()) {
    case element_type::INT64:
      return static_cast<SchemaNumber>(value_of<std::int64_t>(element));
    case element_type::UINT64:
      return static_cast<SchemaNumber>(value_of<std::uint64_t>(element));
    default:
      return static_cast<SchemaNumber>(value_of<double>(element));
  }
}

bool is_number(element_type type) noexcept {
  return type == element_type::INT64 || type == element_type::UINT64 ||
         type == element_type::DOUBLE;
}

// Equal values have equal hashes: the order of an object's members does not count.
std::size_t hash_of(simdjson::dom::element element) noexcept {
  const auto type = element.type();
  if (is_number(type)) {
    return mixed(1, std::hash<SchemaNumber>{}(number_of(element)));
  }
  switch (type) {
    case element_type::STRING:
      return mixed(2, std::hash<std::string_view>{}(string_of(element)));
    case element_type::ARRAY: {
      std::size_t hash = 3;
      for (const auto item : array_of(element)) {
        hash = mixed(hash, hash_of(item));
      }
      return hash;
    }
    case element_type::OBJECT: {
      std::size_t sum = 4;
      for (const auto member : object_of(element)) {
        sum += mixed(std::hash<std::string_view>{}(member.key), hash_of(member.value));
      }
      return sum;
    }
    case element_type::BOOL:
      return bool_of(element) ? 5 : 6;
    default:
      return 7;
  }
}

bool same_arrays(simdjson::dom::array a, simdjson::dom::array b) noexcept {
  auto other = b.begin();
  for (const auto item : a) {
    if (other == b.end() || !same_value(item, *other)) {
      return false;
    }
    ++other;
  }
  return !(other != b.end());
}

bool same_objects(simdjson::dom::object a, simdjson::dom::object b) noexcept {
  if (a.size() != b.size()) {
    return false;
  }
  for (const auto member : a) {
    simdjson::dom::element other;
    if (b.at_key(member.key).get(other) != simdjson::SUCCESS || !same_value(member.value, other)) {
      return false;
    }
  }
  return true;
}

// Up to this number, comparing each with each costs less than sorting.
constexpr std::size_t k_few = 12;

std::optional<std::pair<std::size_t, std::size_t>> find_equals_of_few(
    const std::vector<simdjson::dom::element>& items) noexcept {
  for (std::size_t i = 1; i < items.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (same_value(items[j], items[i])) {
        return std::pair(j, i);
      }
    }
  }
  return std::nullopt;
}

bool keys_are_twice(EqualsRoom& room) {
  auto& keys = room.keys;
  if (keys.size() > k_few) {
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
  }
  for (std::size_t i = 1; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (keys[i] == keys[j]) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

simdjson::dom::array array_of(simdjson::dom::element element) noexcept {
  return value_of<simdjson::dom::array>(element);
}

simdjson::dom::object object_of(simdjson::dom::element element) noexcept {
  return value_of<simdjson::dom::object>(element);
}

SchemaValue SchemaValue::of(simdjson::dom::element element) noexcept {
  SchemaValue value;
  value.element = element;
  switch (element.type()) {
    case element_type::OBJECT:
      value.type = k_type_object;
      break;
    case element_type::ARRAY:
      value.type = k_type_array;
      break;
    case element_type::STRING:
      value.type = k_type_string;
      value.text = string_of(element);
      break;
    case element_type::BOOL:
      value.type = k_type_boolean;
      break;
    case element_type::NULL_VALUE:
      value.type = k_type_null;
      break;
    case element_type::DOUBLE: {
      const auto number = value_of<double>(element);
      value.number = static_cast<SchemaNumber>(number);
      value.type = number == std::floor(number) ? k_type_whole : k_type_fraction;
      break;
    }
    default:
      value.number = number_of(element);
      value.type = k_type_whole;
      break;
  }
  return value;
}

SchemaValue SchemaValue::of_name(std::string_view name) noexcept {
  SchemaValue value;
  value.type = k_type_string;
  value.text = name;
  return value;
}

bool same_value(simdjson::dom::element a, simdjson::dom::element b) noexcept {
  const auto type = a.type();
  if (is_number(type)) {
    return is_number(b.type()) && number_of(a) == number_of(b);
  }
  if (type != b.type()) {
    return false;
  }
  switch (type) {
    case element_type::STRING:
      return string_of(a) == string_of(b);
    case element_type::BOOL:
      return bool_of(a) == bool_of(b);
    case element_type::ARRAY:
      return same_arrays(array_of(a), array_of(b));
    case element_type::OBJECT:
      return same_objects(object_of(a), object_of(b));
    default:
      return true;  // null
  }
}

bool is_multiple(SchemaNumber number, SchemaNumber step) noexcept {
  const Decimal whole = decimal_of(number);
  const Decimal part = decimal_of(step);
  if (whole.mantissa == 0) {
    return true;
  }
  int shift = whole.exponent - part.exponent;
  if (shift < 0) {
    // The step has the larger exponent: a multiple has that many zeros at its end.
    Wide divisor = part.mantissa;
    for (; shift < 0; ++shift) {
      divisor *= 10;
      if (divisor > whole.mantissa) {
        return false;
      }
    }
    return whole.mantissa % divisor == 0;
  }
  Wide left = whole.mantissa % part.mantissa;
  for (; shift > 0 && left != 0; --shift) {
    left = left * 10 % part.mantissa;
  }
  return left == 0;
}

std::optional<std::pair<std::size_t, std::size_t>> find_equals(simdjson::dom::array array,
                                                               EqualsRoom& room) {
  room.items.clear();
  for (const auto item : array) {
    room.items.push_back(item);
  }
  if (room.items.size() <= k_few) {
    return find_equals_of_few(room.items);
  }
  room.hashes.clear();
  for (const auto item : room.items) {
    room.hashes.emplace_back(hash_of(item), room.hashes.size());
  }
  std::sort(room.hashes.begin(), room.hashes.end());
  for (std::size_t i = 1; i < room.hashes.size(); ++i) {
    // Different values of one hash are rare: the neighbours of that hash are few.
    for (std::size_t j = i; j > 0 && room.hashes[j - 1].first == room.hashes[i].first; --j) {
      const std::size_t a = room.hashes[j - 1].second;
      const std::size_t b = room.hashes[i].second;
      if (same_value(room.items[a], room.items[b])) {
        return std::pair(a, b);
      }
    }
  }
  return std::nullopt;
}

bool has_key_twice(simdjson::dom::element element, EqualsRoom& room) {
  if (element.is_array()) {
    for (const auto item : array_of(element)) {
      if (has_key_twice(item, room)) {
        return true;
      }
    }
    return false;
  }
  if (!element.is_object()) {
    return false;
  }
  room.keys.clear();
  bool is_flat = true;
  for (const auto member : object_of(element)) {
    room.keys.push_back(member.key);
    is_flat = is_flat && !member.value.is_array() && !member.value.is_object();
  }
  if (keys_are_twice(room)) {
    return true;
  }
  if (is_flat) {
    return false;
  }
  for (const auto member : object_of(element)) {
    if (has_key_twice(member.value, room)) {
      return true;
    }
  }
  return false;
}

std::string type_names(SchemaTypes types) {
  constexpr std::array<std::pair<SchemaTypes, std::string_view>, 7> k_names = {{
      {k_type_string, "string"},
      {k_type_number, "number"},
      {k_type_whole, "integer"},
      {k_type_boolean, "boolean"},
      {k_type_object, "object"},
      {k_type_array, "array"},
      {k_type_null, "null"},
  }};
  std::string text;
  for (const auto& [bits, name] : k_names) {
    if ((types & bits) == bits) {
      text += text.empty() ? "" : " or ";
      text += name;
      types = static_cast<SchemaTypes>(types & ~bits);
    }
  }
  // A fraction alone is what a number is called that is no integer.
  return text.empty() ? "number" : text;
}

std::string shown_value(simdjson::dom::element element) {
  std::string text;
  std::string_view string;
  if (element.get_string().get(string) == simdjson::SUCCESS) {
    append_json_string(text, string);
  } else {
    text = simdjson::minify(element);
  }
  return one_line(text, 60);
}

}  // namespace batchllm
