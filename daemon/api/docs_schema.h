// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

// The last part of the schema's `$ref`; empty when it has none.
std::string_view referred_name(simdjson::dom::element schema);

// What `type` says: one name, or several.
std::vector<std::string_view> type_names(simdjson::dom::element schema);

// The text member `name`; empty when there is none.
std::string_view text_of(simdjson::dom::element object, std::string_view name);

// What a value is, in a few words with links to the schemas: "array of Job", "integer or null".
std::string type_html(simdjson::dom::element schema);

// What it may be: its range, its pattern, its choices, its default. Empty when anything goes.
std::string limits_html(simdjson::dom::element schema);

// The members of an object as a list, those of objects within them too; empty when it names none.
// A member that refers to one of `schemas` and says nothing itself shows that one's first sentence.
std::string members_html(simdjson::dom::element schema, simdjson::dom::element schemas);

// A schema under its name, as a section of the page.
std::string schema_html(std::string_view name,
                        simdjson::dom::element schema,
                        simdjson::dom::element schemas);

}  // namespace batchllm::daemon
