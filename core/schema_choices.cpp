// SPDX-License-Identifier: Apache-2.0
// The rules of schema_checker.h that hold other schemas against the same value: $ref, allOf, anyOf,
// oneOf, not, if/then/else (2020-12 core, 10.2).
#include "core/schema_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {

bool SchemaChecker::check_combined(const CombinedRules& rules,
                                   const SchemaValue& value,
                                   const Place& place) {
  bool good = true;
  const auto also = [&](auto&& holds) {
    if (good || goes_on()) {
      good = holds() && good;
    }
  };
  if (rules.reference != k_no_index) {
    also([&] { return check(rules.reference, value, place); });
  }
  for (const SchemaIndex node : rules.all) {
    also([&] { return check(node, value, place); });
  }
  if (!rules.any.empty()) {
    also([&] { return check_any(rules.any, value, place); });
  }
  if (!rules.one.empty()) {
    also([&] { return check_one(rules.one, value, place); });
  }
  if (rules.none != k_no_index) {
    also([&] {
      return !holds_quietly(rules.none, value, place) ||
             refuse(place, [] { return std::string("is what not forbids"); });
    });
  }
  if (rules.condition != k_no_index) {
    also([&] { return check_condition(rules, value, place); });
  }
  return good;
}

bool SchemaChecker::check_condition(const CombinedRules& rules,
                                    const SchemaValue& value,
                                    const Place& place) {
  const bool applies = holds_quietly(rules.condition, value, place);
  const SchemaIndex node = applies ? rules.then : rules.otherwise;
  return node == k_no_index || check(node, value, place);
}

bool SchemaChecker::check_any(const std::vector<SchemaIndex>& choices,
                              const SchemaValue& value,
                              const Place& place) {
  const bool holds = std::any_of(choices.begin(), choices.end(), [&](SchemaIndex node) {
    return holds_quietly(node, value, place);
  });
  if (!holds && is_telling()) {
    explain_choices(choices, value, place);
  }
  return holds;
}

bool SchemaChecker::check_one(const std::vector<SchemaIndex>& choices,
                              const SchemaValue& value,
                              const Place& place) {
  const auto count = std::count_if(choices.begin(), choices.end(), [&](SchemaIndex node) {
    return holds_quietly(node, value, place);
  });
  if (count == 1) {
    return true;
  }
  if (count == 0 && is_telling()) {
    explain_choices(choices, value, place);
  }
  if (count > 1) {
    refuse(place,
           [&] { return fmt::format("must follow one schema of oneOf, follows {}", count); });
  }
  return false;
}

// No choice took the value. When its type leaves one only, that one's mistakes are what helps.
void SchemaChecker::explain_choices(const std::vector<SchemaIndex>& choices,
                                    const SchemaValue& value,
                                    const Place& place) {
  const auto takes_type = [&](SchemaIndex node) {
    while (true) {
      const SchemaNode& schema = schema_.nodes[node];
      if (schema.is_false || (schema.types & value.type) == 0) {
        return false;
      }
      const SchemaIndex combined = schema.combined;
      if (combined == k_no_index || schema_.combined[combined].reference == k_no_index) {
        return true;
      }
      node = schema_.combined[combined].reference;
    }
  };
  SchemaTypes types = 0;
  for (const SchemaIndex node : choices) {
    types = static_cast<SchemaTypes>(types | schema_.nodes[node].types);
  }
  const auto count = std::count_if(choices.begin(), choices.end(), takes_type);
  if (count == 1) {
    check(*std::find_if(choices.begin(), choices.end(), takes_type), value, place);
  } else if (count == 0 && (types & value.type) == 0) {
    refuse(place, [&] {
      return fmt::format("expected {}, found {}", type_names(types), type_names(value.type));
    });
  } else {
    refuse(place, [&] {
      return fmt::format("follows none of the {} schemas it may follow", choices.size());
    });
  }
}

bool SchemaChecker::holds_quietly(SchemaIndex index, const SchemaValue& value, const Place& place) {
  const Quiet quiet(*this);
  return check(index, value, place);
}

}  // namespace batchllm
