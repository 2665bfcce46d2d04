// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/wire_error.h"
#include "core/transport.h"

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

// Reading the JSON of providers: what is not of the expected type counts as absent, for every
// server has its own idea of a member now and then.
namespace batchllm::wire {

namespace ondemand = simdjson::ondemand;

// The string, or an empty one for null and everything else.
std::string_view string_or_empty(ondemand::value value);

// A string as it is, a whole number as its digits; else empty.
std::string text_of(ondemand::value value);

// The value in its own spelling, as JSON; empty when it cannot be read.
std::string_view raw_json(ondemand::value value);

// A count, up to a million millions; 0 for what is none.
std::int64_t count_of(ondemand::value value);

// The members of an error that is an object ({"message":…,"type":…,"code":…}); a string is its
// message. What stands there already stays where `value` says nothing.
void read_error(ondemand::value value, ErrorBody& error);

// True when the response's text is one whole JSON value: one that was cut off may end with a brace,
// too, and lack the member that matters.
bool is_whole(const HttpResponse& response);

// Calls `visit(key, value)` for every member of an object. False when `value` is no object, or ends
// in the middle.
template <typename Visit>
bool for_each_member(ondemand::value value, Visit visit) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return false;
  }
  for (auto field : object) {
    std::string_view key;
    ondemand::value member;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
        field.value().get(member) != simdjson::SUCCESS) {
      return false;
    }
    visit(key, member);
  }
  return true;
}

// Calls `visit(element)` for every element of an array. False when `value` is none, or ends in the
// middle.
template <typename Visit>
bool for_each_element(ondemand::value value, Visit visit) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    return false;
  }
  for (auto element : array) {
    ondemand::value member;
    if (element.get(member) != simdjson::SUCCESS) {
      return false;
    }
    visit(member);
  }
  return true;
}

}  // namespace batchllm::wire
