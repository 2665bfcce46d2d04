// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm {

// A short way to write the schema of a flat object:
//
//   label:enum(bug, question, praise) "what it is", confidence:number, tags:string[], note?:string
//
// Fields are separated by commas. A field is a name, `?` when it may be missing, a colon, a type
// and, in quotes, a description. Types: string, number, integer, boolean, object, enum(a, b, …),
// and any of them with [] behind it for a list. A name or a value of an enum that holds one of
// `:,?()[]"` or white space stands in quotes, where \" and \\ are a quote and a backslash.
//
// Returns the JSON Schema (2020-12): an object with these properties and no others, those without
// `?` required. Throws Error(usage) naming the column, counted in characters from 1, with the
// nearest type as a hint.
std::string schema_of_fields(std::string_view fields);

}  // namespace batchllm
