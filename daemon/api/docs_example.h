// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace batchllm::daemon {

// An example of what a schema describes, as JSON text: its own (`examples`, `const`, `default`),
// else one made of its parts. `schemas` is what references lead into.
std::string example_of(simdjson::dom::element schema, simdjson::dom::element schemas);

// JSON laid out over several lines; objects and arrays that fit into one stay in one. JSON that is
// not valid comes back as it is.
std::string pretty_json(std::string_view json);

// The same with its parts marked for the style sheet.
std::string pretty_json_html(std::string_view json);

}  // namespace batchllm::daemon
