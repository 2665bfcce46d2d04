// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between schema_compiler.cpp and schema_keywords.cpp.

#include "core/schema_compiler.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// What is known of one schema object while its keywords are read, in whatever order they stand.
struct SchemaCompiler::Draft {
  const JsonNode& schema;
  const std::string& place;
  SchemaIndex index;

  std::string_view keyword{};   // the one being read
  std::string keyword_place{};  // and where it stands

  SchemaTypes types = k_type_any;
  SchemaIndex allowed = k_no_index;
  SchemaIndex constant = k_no_index;
  std::optional<NumberRules> number{};
  std::optional<TextRules> text{};
  std::optional<ArrayRules> array{};
  std::optional<ObjectRules> object{};
  std::optional<CombinedRules> combined{};
  std::vector<std::string_view> required{};
  std::optional<std::string_view> reference{};

  template <typename Rules>
  static Rules& made(std::optional<Rules>& rules) {
    return rules ? *rules : rules.emplace();
  }
};

}  // namespace batchllm
