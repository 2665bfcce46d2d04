// SPDX-License-Identifier: Apache-2.0
#include "core/json_schema.h"

#include "core/json_document.h"
#include "core/schema_checker.h"
#include "core/schema_compiler.h"
#include "core/schema_nodes.h"
#include "core/schema_values.h"
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace batchllm {
namespace {

// Of a schema, and of an answer: with the chains of SchemaCompiler they bound the stack of a check.
constexpr std::size_t k_deepest = 64;

// What checking an answer needs, kept for the next one. One a thread.
struct CheckRoom {
  CheckRoom() {
    if (parser.allocate(std::size_t{64} << 10U, k_deepest) != simdjson::SUCCESS) {
      throw std::bad_alloc();
    }
  }

  simdjson::dom::parser parser;
  EqualsRoom equals;
};

CheckRoom& thread_room() {
  thread_local CheckRoom room;
  return room;
}

// Why the JSON reader does not take an answer, in the words of parse_json_document.
std::string why_not_json(std::string_view answer) {
  if (trim(answer).empty()) {
    return "expected JSON, found nothing";
  }
  const auto node = parse_json_document(answer, {.depth = k_deepest});
  return node ? "nested too deeply" : node.error().message;
}

}  // namespace

std::string SchemaMistake::text() const {
  return fmt::format("{}: {}", place.empty() ? "the answer" : printable(place), what);
}

std::string one_line_summary(const std::vector<SchemaMistake>& mistakes) {
  if (mistakes.empty()) {
    return "no mistake";
  }
  const std::string first = one_line(mistakes.front().text(), 300);
  return mistakes.size() == 1 ? first : fmt::format("{} (and {} more)", first, mistakes.size() - 1);
}

std::string_view column_type_name(ColumnType type) noexcept {
  constexpr std::array<std::string_view, 7> k_names = {
      "string", "number", "integer", "boolean", "array", "object", "any"};
  return k_names[static_cast<std::size_t>(type)];
}

JsonSchema::JsonSchema(std::unique_ptr<const CompiledSchema> compiled)
    : compiled_(std::move(compiled)) {}

JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;
JsonSchema& JsonSchema::operator=(JsonSchema&&) noexcept = default;
JsonSchema::~JsonSchema() = default;

JsonSchema JsonSchema::compile(std::string_view json) {
  constexpr JsonLimits k_limits{std::size_t{1} << 20U, k_deepest, 200'000};
  const auto root = parse_json_document(json, k_limits);
  if (!root) {
    refuse_schema("#", root.error().message);
  }
  return JsonSchema(SchemaCompiler(*root).compile());
}

std::vector<SchemaMistake> JsonSchema::validate(std::string_view answer) const {
  CheckRoom& room = thread_room();
  simdjson::dom::element root;
  if (answer.empty() ||
      room.parser.parse(answer.data(), answer.size()).get(root) != simdjson::SUCCESS ||
      has_key_twice(root, room.equals)) {
    return {{"", why_not_json(answer)}};
  }
  if (SchemaChecker(*compiled_, room.equals, nullptr).holds(root)) {
    return {};
  }
  std::vector<SchemaMistake> mistakes;
  SchemaChecker(*compiled_, room.equals, &mistakes).holds(root);
  return mistakes;
}

const std::vector<SchemaColumn>& JsonSchema::columns() const noexcept {
  return compiled_->columns;
}

const std::string& JsonSchema::text() const noexcept {
  return compiled_->text;
}

}  // namespace batchllm
