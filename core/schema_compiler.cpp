// SPDX-License-Identifier: Apache-2.0
#include "core/schema_compiler.h"

#include "core/error.h"
#include "core/schema_draft.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

// Schemas in a schema, and schemas that one value meets one inside the other: together with the
// depth of an answer they bound the stack of a check.
constexpr std::size_t k_most_nodes = 50'000;
constexpr std::size_t k_deepest_chain = 32;

// Finds, for every node, how many schemas follow each other on one value, and refuses those that
// never end: a check of them would not either.
class ChainMeter {
 public:
  explicit ChainMeter(const CompiledSchema& compiled)
      : compiled_(compiled),
        lengths_(compiled.nodes.size(), 0),
        is_open_(compiled.nodes.size(), false) {}

  std::size_t length(SchemaIndex node, std::size_t depth) {
    if (lengths_[node] != 0) {
      return lengths_[node];
    }
    if (is_open_[node]) {
      refuse_schema("#", "a $ref leads back to itself without going into the value");
    }
    is_open_[node] = true;
    std::size_t longest = 0;
    for (const SchemaIndex next : nodes_for_same_value(compiled_, node)) {
      longest = std::max(longest, depth < k_deepest_chain ? length(next, depth + 1) : depth);
    }
    if (longest >= k_deepest_chain) {
      refuse_schema(
          "#",
          fmt::format("more than {} schemas inside each other for one value", k_deepest_chain));
    }
    is_open_[node] = false;
    lengths_[node] = longest + 1;
    return lengths_[node];
  }

 private:
  const CompiledSchema& compiled_;
  std::vector<std::size_t> lengths_;
  std::vector<bool> is_open_;
};

ColumnType column_type_of(SchemaTypes types) noexcept {
  switch (types & ~k_type_null) {
    case k_type_string:
      return ColumnType::string;
    case k_type_number:
      return ColumnType::number;
    case k_type_whole:
      return ColumnType::integer;
    case k_type_boolean:
      return ColumnType::boolean;
    case k_type_array:
      return ColumnType::array;
    case k_type_object:
      return ColumnType::object;
    default:
      return ColumnType::any;
  }
}

// The kinds of values that a node can take, when its own rules and those it refers to say so.
SchemaTypes types_of(const CompiledSchema& compiled, SchemaIndex index) {
  const SchemaNode& node = compiled.nodes[index];
  SchemaTypes types = node.types;
  if (node.allowed != k_no_index || node.constant != k_no_index) {
    const ValueRules& rules =
        compiled.value_rules[node.allowed != k_no_index ? node.allowed : node.constant];
    SchemaTypes seen = 0;
    for (std::uint32_t i = 0; i < rules.count; ++i) {
      const auto value = compiled.values[rules.first + i];
      seen = static_cast<SchemaTypes>(seen | (value.is_string()   ? k_type_string
                                              : value.is_number() ? k_type_number
                                              : value.is_bool()   ? k_type_boolean
                                              : value.is_array()  ? k_type_array
                                              : value.is_object() ? k_type_object
                                                                  : k_type_null));
    }
    types = static_cast<SchemaTypes>(types & seen);
  }
  if (node.combined == k_no_index) {
    return types;
  }
  const CombinedRules& combined = compiled.combined[node.combined];
  if (combined.reference != k_no_index) {
    types = static_cast<SchemaTypes>(types & types_of(compiled, combined.reference));
  }
  for (const auto* list : {&combined.any, &combined.one}) {
    SchemaTypes together = 0;
    for (const SchemaIndex choice : *list) {
      together = static_cast<SchemaTypes>(together | types_of(compiled, choice));
    }
    types = list->empty() ? types : static_cast<SchemaTypes>(types & together);
  }
  return types;
}

}  // namespace

std::string schema_place(std::string_view place, std::string_view key) {
  std::string joined(place);
  joined += '/';
  for (const char byte : key) {
    if (byte == '~') {
      joined += "~0";
    } else if (byte == '/') {
      joined += "~1";
    } else {
      joined += byte;
    }
  }
  return joined;
}

void refuse_schema(const std::string& place, const std::string& why) {
  const std::string shown = printable(place);
  throw Error(ErrorCode::usage, fmt::format("the schema is not usable: {}: {}", shown, why))
      .with_detail("schema_place", shown);
}

std::vector<SchemaIndex> nodes_for_same_value(const CompiledSchema& compiled, SchemaIndex index) {
  std::vector<SchemaIndex> next;
  const auto add = [&next](SchemaIndex node) {
    if (node != k_no_index) {
      next.push_back(node);
    }
  };
  const SchemaNode& node = compiled.nodes[index];
  if (node.object != k_no_index) {
    for (const auto& dependency : compiled.objects[node.object].dependencies) {
      add(dependency.node);
    }
  }
  if (node.combined == k_no_index) {
    return next;
  }
  const CombinedRules& combined = compiled.combined[node.combined];
  for (const auto* list : {&combined.all, &combined.any, &combined.one}) {
    next.insert(next.end(), list->begin(), list->end());
  }
  add(combined.reference);
  add(combined.none);
  add(combined.condition);
  add(combined.then);
  add(combined.otherwise);
  return next;
}

SchemaCompiler::SchemaCompiler(const JsonNode& root)
    : root_(root),
      compiled_(std::make_unique<CompiledSchema>()) {}

std::unique_ptr<const CompiledSchema> SchemaCompiler::compile() {
  read_dialect();
  add(root_, "#");
  read_values();
  resolve_references();
  refuse_loops();
  find_columns();
  compiled_->text = root_.to_json();
  return std::move(compiled_);
}

SchemaIndex SchemaCompiler::add(const JsonNode& schema, const std::string& place) {
  const auto index = static_cast<SchemaIndex>(compiled_->nodes.size());
  if (index >= k_most_nodes) {
    refuse_schema(place, fmt::format("more than {} schemas in it", k_most_nodes));
  }
  compiled_->nodes.emplace_back();
  indexes_.emplace(&schema, index);
  if (const auto boolean = schema.boolean()) {
    compiled_->nodes[index].is_false = !*boolean;
    return index;
  }
  if (schema.kind() != JsonNode::Kind::object) {
    refuse_schema(place, "a schema must be an object, true or false");
  }
  Draft draft{schema, place, index};
  add_keywords(draft);
  finish(draft, index);
  return index;
}

void SchemaCompiler::finish(Draft& draft, SchemaIndex index) {
  const auto keep = [](auto& rules, auto& list) {
    if (!rules) {
      return k_no_index;
    }
    list.push_back(*std::move(rules));
    return static_cast<SchemaIndex>(list.size() - 1);
  };
  if (draft.object) {
    finish_object(draft);
  }
  SchemaNode& node = compiled_->nodes[index];
  node.types = draft.types;
  node.allowed = draft.allowed;
  node.constant = draft.constant;
  node.number = keep(draft.number, compiled_->numbers);
  node.text = keep(draft.text, compiled_->texts);
  node.array = keep(draft.array, compiled_->arrays);
  node.object = keep(draft.object, compiled_->objects);
  if (draft.reference && !draft.combined) {
    draft.combined.emplace();
  }
  node.combined = keep(draft.combined, compiled_->combined);
  if (draft.reference) {
    references_.push_back(
        {node.combined, std::string(*draft.reference), schema_place(draft.place, "$ref")});
  }
}

// `required` and `properties` may stand in either order: what one name is told by both comes
// together here.
void SchemaCompiler::finish_object(Draft& draft) {
  ObjectRules& rules = *draft.object;
  for (const std::string_view name : draft.required) {
    const auto known = std::find_if(rules.properties.begin(),
                                    rules.properties.end(),
                                    [&](const auto& property) { return property.key == name; });
    if (known != rules.properties.end()) {
      known->is_required = true;
    } else {
      rules.properties.push_back({std::string(name), k_no_index, true});
    }
  }
  rules.required_count = static_cast<std::uint32_t>(draft.required.size());
  rules.by_key.resize(rules.properties.size());
  for (std::uint32_t i = 0; i < rules.by_key.size(); ++i) {
    rules.by_key[i] = i;
  }
  std::sort(rules.by_key.begin(), rules.by_key.end(), [&](auto a, auto b) {
    return rules.properties[a].key < rules.properties[b].key;
  });
}

// The values of the whole schema were gathered as one array of JSON.
void SchemaCompiler::read_values() {
  if (values_json_.empty()) {
    return;
  }
  values_json_ += ']';
  simdjson::dom::array array;
  if (compiled_->values_document.parse(values_json_).get_array().get(array) != simdjson::SUCCESS) {
    refuse_schema("#", "an enum or const that is not JSON");
  }
  for (const auto value : array) {
    compiled_->values.push_back(value);
  }
  for (ValueRules& rules : compiled_->value_rules) {
    for (std::uint32_t i = 0; i < rules.count; ++i) {
      std::string_view text;
      if (compiled_->values[rules.first + i].get_string().get(text) == simdjson::SUCCESS) {
        rules.strings.push_back(text);
      }
    }
    std::sort(rules.strings.begin(), rules.strings.end());
  }
}

void SchemaCompiler::refuse_loops() const {
  ChainMeter meter(*compiled_);
  for (SchemaIndex node = 0; node < compiled_->nodes.size(); ++node) {
    meter.length(node, 0);
  }
}

void SchemaCompiler::find_columns() {
  SchemaIndex index = 0;
  // Generators of schemas like to put the object into $defs and refer to it. No chain of references
  // is endless here: refuse_loops has seen to that.
  while (compiled_->nodes[index].object == k_no_index) {
    const SchemaIndex combined = compiled_->nodes[index].combined;
    if (combined == k_no_index || compiled_->combined[combined].reference == k_no_index) {
      return;
    }
    index = compiled_->combined[combined].reference;
  }
  for (const auto& property : compiled_->objects[compiled_->nodes[index].object].properties) {
    const SchemaTypes types =
        property.node == k_no_index ? k_type_any : types_of(*compiled_, property.node);
    compiled_->columns.push_back({property.key, column_type_of(types), property.is_required});
  }
}

}  // namespace batchllm
