// SPDX-License-Identifier: Apache-2.0
// The official JSON Schema test suite (github.com/json-schema-org/JSON-Schema-Test-Suite), draft
// 2020-12: in the folder of the outside suites, or as Debian's libtest-json-schema-acceptance-perl
// installs it; without either this says so.
#include "core/error.h"
#include "core/json_document.h"
#include "core/json_schema.h"
#include "tests/support/catch.h"
#include "tests/support/suite_files.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

struct SuiteCounts {
  int groups = 0;
  int cases = 0;
  int refused_groups = 0;
};

// Whether a schema uses what is refused on purpose, at any depth. Deliberately simple: what stands
// in `const` and `enum` is data, and nothing else is taken for it.
bool uses_unsupported(const JsonNode& node, std::string_view root_id, bool is_root) {
  static constexpr auto k_refused = std::to_array<std::string_view>({"$dynamicRef",
                                                                     "$dynamicAnchor",
                                                                     "unevaluatedItems",
                                                                     "unevaluatedProperties",
                                                                     "$vocabulary"});
  for (const auto& [key, value] : node.members()) {
    if (key == "const" || key == "enum") {
      continue;
    }
    const bool is_keyword = std::find(k_refused.begin(), k_refused.end(), key) != k_refused.end();
    if (is_keyword || (key == "$id" && !is_root && value.string())) {
      return true;
    }
    if (const auto text = value.string(); key == "$ref" && text && !text->starts_with('#')) {
      const bool is_own = !root_id.empty() && text->substr(0, text->find('#')) == root_id;
      if (!is_own) {
        return true;
      }
    }
    if (key == "$schema" && value.string() &&
        *value.string() != "https://json-schema.org/draft/2020-12/schema") {
      return true;
    }
    if (uses_unsupported(value, root_id, false)) {
      return true;
    }
  }
  for (const auto& item : node.items()) {
    if (uses_unsupported(item, root_id, false)) {
      return true;
    }
  }
  return false;
}

void check_group(const JsonNode& group, bool skips_formats, SuiteCounts& counts) {
  const JsonNode& schema = *group.find("schema");
  if (schema.find("format") != nullptr && schema.find("pattern") == nullptr && skips_formats) {
    return;  // an annotation here; the optional files ask for more
  }
  const std::string description(group.find_string("description").value_or("?"));
  INFO(description);
  const bool is_refused = uses_unsupported(schema, schema.find_string("$id").value_or(""), true);
  std::optional<JsonSchema> compiled;
  std::string why;
  try {
    compiled.emplace(JsonSchema::compile(schema.to_json()));
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::usage);
    why = error.message();
  }
  INFO(why);
  CHECK(compiled.has_value() != is_refused);
  counts.refused_groups += compiled ? 0 : 1;
  counts.groups += 1;
  if (!compiled) {
    return;
  }
  for (const auto& test : group.find("tests")->items()) {
    const std::string data = test.find("data")->to_json();
    const std::string claim(test.find_string("description").value_or("?"));
    INFO(claim << ": " << data);
    const auto mistakes = compiled->validate(data);
    INFO(one_line_summary(mistakes));
    CHECK(mistakes.empty() == test.find("valid")->boolean());
    counts.cases += 1;
  }
}

}  // namespace

TEST_CASE("every case of the JSON Schema test suite is judged right or its schema refused",
          "[schema][suite]") {
  const std::filesystem::path folder = BATCHLLM_JSON_SCHEMA_SUITE;
  SuiteCounts counts;
  for (const auto& file : files_below(folder)) {
    const bool is_optional = file.parent_path() != folder;
    // Of the optional files, those about regular expressions.
    if (is_optional && file.filename() != "ecmascript-regex.json" &&
        file.filename() != "non-bmp-regex.json") {
      continue;
    }
    CAPTURE(file.filename().string());
    const auto groups = parse_json_document(file_text(file));
    if (!groups) {
      FAIL(groups.error().message);
    }
    for (const auto& group : groups->items()) {
      check_group(group, is_optional, counts);
    }
  }
  if (counts.groups == 0) {
    WARN("there is no JSON Schema test suite (packaging/dependencies test): nothing checked");
    return;
  }
  WARN(counts.groups << " schemas, " << counts.refused_groups << " of them refused; "
                     << counts.cases << " cases");
  CHECK(counts.cases > 900);
}
