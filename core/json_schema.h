// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

struct CompiledSchema;

// Where an answer does not follow its schema.
struct SchemaMistake {
  std::string place;  // JSON pointer (RFC 6901) into the answer; empty: all of it
  std::string what;   // "expected string, found number"

  // "/tags/1: expected string, found number", for people and for the model.
  std::string text() const;
};

enum class ColumnType : std::uint8_t { string, number, integer, boolean, array, object, any };

std::string_view column_type_name(ColumnType type) noexcept;

// A property of the object that a schema describes: what becomes a column of the output.
struct SchemaColumn {
  std::string name;
  ColumnType type = ColumnType::any;  // `null` beside another type does not count
  bool is_required = false;
};

// A JSON Schema (draft 2020-12, core and validation), compiled once and held against many answers.
//
// It asserts type, enum, const; minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf;
// minLength, maxLength (code points), pattern (ECMA-262); items, prefixItems, contains,
// minContains, maxContains, minItems, maxItems, uniqueItems; properties, patternProperties,
// additionalProperties, propertyNames, required, dependentRequired, dependentSchemas,
// minProperties, maxProperties; allOf, anyOf, oneOf, not, if/then/else; $ref into the schema itself
// (pointer, $anchor, its own $id), $defs. `format`, `content…` and the words of documentation are
// annotations, as the draft says, and so is what starts with "x-". Everything else is refused when
// it is compiled: no schema is half-checked.
//
// Immutable; thread-safe.
class JsonSchema {
 public:
  // Throws Error(usage) naming the place in the schema ("#/properties/tags/unevaluatedItems").
  static JsonSchema compile(std::string_view json);

  JsonSchema(JsonSchema&&) noexcept;
  JsonSchema& operator=(JsonSchema&&) noexcept;
  JsonSchema(const JsonSchema&) = delete;
  JsonSchema& operator=(const JsonSchema&) = delete;
  ~JsonSchema();

  // Holds one answer, a JSON text, against the schema: empty when it follows, else its first few
  // mistakes. A text that is no JSON, names a key twice or takes too long to check follows none.
  // Allocates nothing for an answer that follows.
  std::vector<SchemaMistake> validate(std::string_view answer) const;

  // The properties of the object that the schema describes, in its order; none when it describes
  // no object.
  const std::vector<SchemaColumn>& columns() const noexcept;

  // The schema as JSON without white space.
  const std::string& text() const noexcept;

 private:
  explicit JsonSchema(std::unique_ptr<const CompiledSchema> compiled);

  std::unique_ptr<const CompiledSchema> compiled_;
};

// "/tags/1: expected string, found number (and 2 more)"
std::string one_line_summary(const std::vector<SchemaMistake>& mistakes);

}  // namespace batchllm
