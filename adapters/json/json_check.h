// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::json {

// Why a text is not JSON, and at which of its bytes that shows.
struct JsonProblem {
  std::size_t offset = 0;
  std::string reason;  // a phrase: "a comma is missing between members"
};

// Checks one JSON text (RFC 8259, one value, white space around it; UTF-8; no lone surrogates) with
// the patience that a message for a person needs: the fast parser says only yes or no. Numbers may
// have any size. Nesting deeper than 1024 is a problem. nullopt: it is JSON.
std::optional<JsonProblem> check_json(std::string_view text);

}  // namespace batchllm::json
