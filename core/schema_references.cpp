// SPDX-License-Identifier: Apache-2.0
// How parts of a schema name each other: $id, $anchor, $ref (2020-12 core, 8.2), and the dialect.
#include "core/schema_compiler.h"
#include "core/schema_draft.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {
namespace {

// What stands beside a $ref and asserts nothing.
bool is_silent(std::string_view keyword) noexcept {
  return keyword == "$ref" || keyword == "$schema" || keyword == "$comment" || keyword == "$defs" ||
         keyword == "definitions" || keyword == "title" || keyword == "description" ||
         keyword == "default" || keyword == "examples";
}

int hex_digit(char byte) noexcept {
  return byte >= '0' && byte <= '9'   ? byte - '0'
         : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
         : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                      : -1;
}

// Percent-decoded (RFC 3986, 2.1); nothing when it is not well-formed.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// One token of a JSON pointer (RFC 6901, 3); nothing when a ~ is neither ~0 nor ~1.
std::optional<std::string> unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      out += token[i];
      continue;
    }
    ++i;
    if (i == token.size() || (token[i] != '0' && token[i] != '1')) {
      return std::nullopt;
    }
    out += token[i] == '0' ? '~' : '/';
  }
  return out;
}

const JsonNode* step(const JsonNode& node, const std::string& token) {
  if (node.kind() == JsonNode::Kind::object) {
    return node.find(token);
  }
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool is_index = error == std::errc{} && end == token.data() + token.size() &&
                        (token == "0" || !token.starts_with('0'));
  return is_index && index < node.items().size() ? &node.items()[index] : nullptr;
}

// The value that `pointer` ("/$defs/tag") leads to; nullptr when there is none.
const JsonNode* follow(const JsonNode& root, std::string_view pointer) {
  const JsonNode* node = &root;
  while (!pointer.empty() && node != nullptr) {
    pointer.remove_prefix(1);  // the slash
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    const auto key = unescaped(token);
    node = key ? step(*node, *key) : nullptr;
  }
  return node;
}

bool is_anchor(std::string_view text) noexcept {
  const auto is_letter = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
  };
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char byte) {
           return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
         });
}

}  // namespace

void SchemaCompiler::set_reference(Draft& draft, const JsonNode& value) {
  draft.reference = value.string();
  if (!draft.reference) {
    refuse_schema(draft.keyword_place, "must be a string");
  }
  // Draft-07 does not look at the rest of such an object, 2020-12 does: whose rule is meant?
  for (const auto& member : draft.schema.members()) {
    if (is_draft_07_ && !is_silent(member.key)) {
      refuse_schema(draft.keyword_place,
                    fmt::format("draft-07 ignores {} beside $ref; say $schema "
                                "\"https://json-schema.org/draft/2020-12/schema\" when it counts",
                                one_line(member.key, 60)));
    }
  }
}

void SchemaCompiler::set_anchor(Draft& draft, const JsonNode& value) {
  const auto name = value.string();
  if (!name || !is_anchor(*name)) {
    refuse_schema(draft.keyword_place, "must be a name of letters, digits, _, - and .");
  }
  if (!anchors_.emplace(*name, draft.index).second) {
    refuse_schema(draft.keyword_place, "this anchor stands elsewhere too");
  }
}

void SchemaCompiler::set_id(Draft& draft, const JsonNode& value) {
  const auto id = value.string();
  if (!id) {
    refuse_schema(draft.keyword_place, "must be a string");
  }
  if (draft.index != 0) {
    refuse_schema(draft.keyword_place, "$id is supported at the root only; use $defs and $anchor");
  }
  id_ = id->substr(0, id->find('#'));
}

void SchemaCompiler::set_dialect(Draft& draft, const JsonNode& value) {
  (void)value;  // read_dialect has looked at the root's
  if (draft.index != 0) {
    refuse_schema(draft.keyword_place, "$schema belongs to the root");
  }
}

// Comes before all else, for it may stand behind what it tells about.
void SchemaCompiler::read_dialect() {
  const JsonNode* value = root_.find("$schema");
  if (value == nullptr) {
    return;
  }
  const auto dialect = value->string();
  if (!dialect) {
    refuse_schema("#/$schema", "must be a string");
  }
  std::string_view name = dialect->substr(0, dialect->find('#'));
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (name.starts_with(scheme)) {
      name.remove_prefix(scheme.size());
      break;
    }
  }
  is_draft_07_ = name == "json-schema.org/draft-07/schema";
  // What the older two mean otherwise than 2020-12 is refused where it stands.
  if (!is_draft_07_ && name != "json-schema.org/draft/2020-12/schema" &&
      name != "json-schema.org/draft/2019-09/schema") {
    refuse_schema("#/$schema",
                  fmt::format("{} is not supported; JSON Schema 2020-12 is: "
                              "https://json-schema.org/draft/2020-12/schema",
                              one_line(*dialect, 80)));
  }
}

void SchemaCompiler::resolve_references() {
  for (const Reference& reference : references_) {
    compiled_->combined[reference.combined].reference = target_of(reference);
  }
}

SchemaIndex SchemaCompiler::target_of(const Reference& reference) const {
  const std::string_view text = reference.text;
  const auto hash = std::min(text.find('#'), text.size());
  const std::string_view base = text.substr(0, hash);
  const std::string shown = one_line(text, 80);
  if (!base.empty() && base != id_) {
    refuse_schema(reference.place,
                  fmt::format("{} leads out of this schema; only references into it "
                              "(#/$defs/NAME) are followed",
                              shown));
  }
  const auto fragment = decoded(text.substr(std::min(hash + 1, text.size())));
  if (!fragment) {
    refuse_schema(reference.place, fmt::format("{} is not a URI reference", shown));
  }
  if (!fragment->empty() && !fragment->starts_with('/')) {
    const auto anchor = anchors_.find(*fragment);
    if (anchor == anchors_.end()) {
      refuse_schema(reference.place, fmt::format("no $anchor is named {}", shown.substr(1)));
    }
    return anchor->second;
  }
  const JsonNode* target = follow(root_, *fragment);
  if (target == nullptr) {
    refuse_schema(reference.place, fmt::format("nothing is at {}", shown));
  }
  const auto node = indexes_.find(target);
  if (node == indexes_.end()) {
    refuse_schema(reference.place, fmt::format("what is at {} is no schema", shown));
  }
  return node->second;
}

}  // namespace batchllm
