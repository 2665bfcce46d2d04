// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm::simulator {

// Appends a JSON value that fits the JSON Schema `schema`, as far as the simulator knows the
// language: type (also several), properties, required, items, minItems, enum, const, minimum,
// maximum, format (date, date-time, email, uri, uuid), anyOf, oneOf, allOf (first), $ref into the
// same document. Every property is given. `text` is what strings say. Returns false, with `out` as
// it was, when the schema is not JSON or nests too deep.
bool append_schema_answer(std::string& out,
                          std::string_view schema,
                          std::string_view text,
                          std::uint64_t bits);

}  // namespace batchllm::simulator
