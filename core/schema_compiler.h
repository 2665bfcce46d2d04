// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json_document.h"
#include "core/schema_nodes.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace batchllm {

// Compiles one schema, once. Throws Error(usage) naming the place.
class SchemaCompiler {
 public:
  // `root` must outlive the compiler.
  explicit SchemaCompiler(const JsonNode& root);

  std::unique_ptr<const CompiledSchema> compile();

 private:
  // What is known of one schema object while it is read; see schema_draft.h.
  struct Draft;

  struct Keyword {
    std::string_view name;
    void (SchemaCompiler::*handle)(Draft&, const JsonNode& value);
  };

  struct Reference {
    SchemaIndex combined = 0;
    std::string text;
    std::string place;
  };

  SchemaIndex add(const JsonNode& schema, const std::string& place);
  static std::span<const Keyword> keywords() noexcept;
  void add_keywords(Draft& draft);
  [[noreturn]] static void refuse_keyword(const Draft& draft);
  void finish(Draft& draft, SchemaIndex index);
  void finish_object(Draft& draft);

  void set_type(Draft& draft, const JsonNode& value);
  void set_enum(Draft& draft, const JsonNode& value);
  void set_const(Draft& draft, const JsonNode& value);
  void set_bound(Draft& draft, const JsonNode& value);
  void set_range(Draft& draft, const JsonNode& value);
  void set_pattern(Draft& draft, const JsonNode& value);
  void set_unique(Draft& draft, const JsonNode& value);
  void set_schema(Draft& draft, const JsonNode& value);
  void set_schema_list(Draft& draft, const JsonNode& value);
  void set_properties(Draft& draft, const JsonNode& value);
  void set_pattern_properties(Draft& draft, const JsonNode& value);
  void set_required(Draft& draft, const JsonNode& value);
  void set_dependent_required(Draft& draft, const JsonNode& value);
  void set_dependent_schemas(Draft& draft, const JsonNode& value);
  void add_definitions(Draft& draft, const JsonNode& value);
  void set_reference(Draft& draft, const JsonNode& value);
  void set_anchor(Draft& draft, const JsonNode& value);
  void set_id(Draft& draft, const JsonNode& value);
  void set_dialect(Draft& draft, const JsonNode& value);
  void note(Draft& draft, const JsonNode& value);  // an annotation

  SchemaIndex add_pattern(std::string_view text, const std::string& place);
  SchemaIndex add_values(std::span<const JsonNode> values);
  void read_dialect();
  void read_values();
  void resolve_references();
  SchemaIndex target_of(const Reference& reference) const;
  void refuse_loops() const;
  void find_columns();

  const JsonNode& root_;
  std::unique_ptr<CompiledSchema> compiled_;
  std::unordered_map<const JsonNode*, SchemaIndex> indexes_;
  std::unordered_map<std::string, SchemaIndex> anchors_;
  std::vector<Reference> references_;
  std::string values_json_;
  std::uint32_t values_count_ = 0;
  std::string id_;
  bool is_draft_07_ = false;
};

// "#/properties" and "a/b" make "#/properties/a~1b" (RFC 6901).
std::string schema_place(std::string_view place, std::string_view key);

[[noreturn]] void refuse_schema(const std::string& place, const std::string& why);

// In-place rules of a schema: which nodes it applies to the very value that it is applied to.
std::vector<SchemaIndex> nodes_for_same_value(const CompiledSchema& compiled, SchemaIndex node);

}  // namespace batchllm
