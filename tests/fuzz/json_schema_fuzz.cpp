// SPDX-License-Identifier: Apache-2.0
// The first line as a JSON Schema, the rest as an answer. Only Error may come out of a schema; one
// that is taken compiles again from its own text and judges the same, and an answer that is taken
// is JSON. What `not` makes of a schema judges the opposite, when both can be decided.
#include "core/error.h"
#include "core/json_schema.h"
#include "core/json_text.h"
#include "core/text.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace batchllm;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

bool is_decided(const std::vector<SchemaMistake>& mistakes) {
  return std::none_of(mistakes.begin(), mistakes.end(), [](const SchemaMistake& mistake) {
    return mistake.what.find("too long") != std::string::npos;
  });
}

void try_schema(std::string_view schema_text, std::string_view answer) {
  const JsonSchema schema = JsonSchema::compile(schema_text);
  const JsonSchema again = JsonSchema::compile(schema.text());
  require(again.text() == schema.text());
  require(again.columns().size() == schema.columns().size());
  const auto mistakes = schema.validate(answer);
  require(mistakes.empty() == again.validate(answer).empty());
  for (const SchemaMistake& mistake : mistakes) {
    require(is_utf8(mistake.text()));
  }
  require(!mistakes.empty() || is_json(answer));
  if (!is_decided(mistakes) || !schema_text.starts_with('{') ||
      schema.text().find("\"$") != std::string::npos) {
    return;  // what names places would name others inside of `not`
  }
  const auto opposite = JsonSchema::compile("{\"not\":" + schema.text() + "}").validate(answer);
  const bool is_readable = opposite.empty() || opposite[0].what == "is what not forbids";
  require(!is_readable || opposite.empty() != mistakes.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  try {
    try_schema(text.substr(0, line), text.substr(std::min(line + 1, text.size())));
  } catch (const Error&) {
    // refused, as it should be
  }
  return 0;
}
