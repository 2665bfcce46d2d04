// SPDX-License-Identifier: Apache-2.0
#include "core/schema_checker.h"

#include "core/schema_compiler.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace batchllm {
namespace {

constexpr std::size_t k_most_mistakes = 5;

// A schema can ask for the same value again and again, each time twice as often. An answer of a
// megabyte needs fewer steps than this.
constexpr std::uint64_t k_most_steps = 2'000'000;

// A count, in the words of a message: "at least 2", "between 1 and 3".
std::string wanted(const SchemaRange& range) {
  const bool has_most = range.most != SchemaRange{}.most;
  return has_most && range.least == range.most ? fmt::format("{}", range.least)
         : has_most && range.least > 0         ? fmt::format("{} to {}", range.least, range.most)
         : has_most                            ? fmt::format("at most {}", range.most)
                                               : fmt::format("at least {}", range.least);
}

// The value that follows a schema's order most of the time costs one comparison.
const ObjectRules::Property* find_property(const ObjectRules& rules,
                                           std::string_view key,
                                           std::size_t& next) noexcept {
  if (next < rules.properties.size() && rules.properties[next].key == key) {
    return &rules.properties[next++];
  }
  const auto found = std::lower_bound(rules.by_key.begin(),
                                      rules.by_key.end(),
                                      key,
                                      [&](std::uint32_t index, std::string_view name) {
                                        return rules.properties[index].key < name;
                                      });
  if (found == rules.by_key.end() || rules.properties[*found].key != key) {
    return nullptr;
  }
  next = *found + std::size_t{1};
  return &rules.properties[*found];
}

bool has_key(const SchemaValue& value, std::string_view key) {
  return value.element.at_key(key).error() == simdjson::SUCCESS;
}

}  // namespace

void SchemaChecker::write_down(const Place& place, std::string what) {
  std::vector<const Place*> levels;
  for (const Place* level = &place; level->outer != nullptr; level = level->outer) {
    levels.push_back(level);
  }
  std::string pointer;
  std::for_each(levels.rbegin(), levels.rend(), [&](const Place* level) {
    pointer = level->is_index ? fmt::format("{}/{}", pointer, level->index)
                              : schema_place(pointer, level->key);
  });
  // Two schemas for one value often say the same.
  const bool is_known = std::any_of(mistakes_->begin(), mistakes_->end(), [&](const auto& known) {
    return known.place == pointer && known.what == what;
  });
  if (!is_known && mistakes_->size() < k_most_mistakes) {
    mistakes_->push_back({std::move(pointer), std::move(what)});
  }
}

bool SchemaChecker::goes_on() const noexcept {
  return is_telling() && !is_given_up_ && mistakes_->size() < k_most_mistakes;
}

bool SchemaChecker::holds(simdjson::dom::element root) {
  const Place place;
  const bool does_hold = check(0, SchemaValue::of(root), place);
  if (is_given_up_ && mistakes_ != nullptr) {
    mistakes_->clear();
    refuse(place, [] { return std::string("takes too long to check against its schema"); });
  }
  return does_hold && !is_given_up_;
}

bool SchemaChecker::check(SchemaIndex index, const SchemaValue& value, const Place& place) {
  if (is_given_up_ || ++steps_ > k_most_steps) {
    is_given_up_ = true;
    return false;
  }
  const SchemaNode& node = schema_.nodes[index];
  if (node.is_false) {
    return refuse(place, [] { return std::string("no value is allowed here"); });
  }
  if ((node.types & value.type) == 0) {
    return refuse(place, [&] {
      return fmt::format("expected {}, found {}", type_names(node.types), type_names(value.type));
    });
  }
  bool good = true;
  for (const SchemaIndex values : {node.allowed, node.constant}) {
    if (values != k_no_index && !check_values(schema_.value_rules[values], value, place)) {
      return false;  // what else is wrong with a value that is none of a few helps nobody
    }
  }
  if (node.object != k_no_index && value.type == k_type_object) {
    good = check_object(schema_.objects[node.object], value, place);
  } else if (node.array != k_no_index && value.type == k_type_array) {
    good = check_array(schema_.arrays[node.array], value, place);
  } else if (node.text != k_no_index && value.type == k_type_string) {
    good = check_text(schema_.texts[node.text], value, place);
  } else if (node.number != k_no_index && (value.type & k_type_number) != 0) {
    good = check_number(schema_.numbers[node.number], value, place);
  }
  if (node.combined == k_no_index || (!good && !goes_on())) {
    return good;
  }
  return check_combined(schema_.combined[node.combined], value, place) && good;
}

bool SchemaChecker::check_values(const ValueRules& rules,
                                 const SchemaValue& value,
                                 const Place& place) {
  const auto first = schema_.values.begin() + rules.first;
  if (value.type == k_type_string) {
    if (std::binary_search(rules.strings.begin(), rules.strings.end(), value.text)) {
      return true;
    }
  } else if (std::any_of(first, first + rules.count, [&](simdjson::dom::element allowed) {
               return same_value(allowed, value.element);
             })) {
    return true;
  }
  if (!is_telling() || rules.count == 0) {
    return refuse(place, [] { return std::string("no value is allowed here"); });
  }
  std::vector<std::string> shown;
  std::transform(first, first + rules.count, std::back_inserter(shown), shown_value);
  std::string list;
  constexpr std::size_t k_shown = 20;
  for (std::size_t i = 0; i < std::min(shown.size(), k_shown); ++i) {
    list += i == 0 ? "" : ", ";
    list += shown[i];
  }
  if (shown.size() > k_shown) {
    list += fmt::format(" and {} more", shown.size() - k_shown);
  }
  const std::string found = value.type == k_type_string
                                ? fmt::format("\"{}\"", one_line(value.text, 60))
                                : shown_value(value.element);
  return refuse(place, [&] {
    return fmt::format("expected {}{}, found {}", rules.count == 1 ? "" : "one of ", list, found);
  });
}

bool SchemaChecker::check_number(const NumberRules& rules,
                                 const SchemaValue& value,
                                 const Place& place) {
  const auto found = [&] { return shown_value(value.element); };
  bool good = true;
  if (rules.minimum && value.number < rules.minimum->value) {
    good = refuse(place, [&] {
      return fmt::format("must be at least {}, found {}", rules.minimum->text, found());
    });
  }
  if (rules.maximum && value.number > rules.maximum->value) {
    good = refuse(place, [&] {
      return fmt::format("must be at most {}, found {}", rules.maximum->text, found());
    });
  }
  if (rules.exclusive_minimum && value.number <= rules.exclusive_minimum->value) {
    good = refuse(place, [&] {
      return fmt::format(
          "must be greater than {}, found {}", rules.exclusive_minimum->text, found());
    });
  }
  if (rules.exclusive_maximum && value.number >= rules.exclusive_maximum->value) {
    good = refuse(place, [&] {
      return fmt::format("must be less than {}, found {}", rules.exclusive_maximum->text, found());
    });
  }
  if (rules.multiple_of && !is_multiple(value.number, rules.multiple_of->value)) {
    good = refuse(place, [&] {
      return fmt::format("must be a multiple of {}, found {}", rules.multiple_of->text, found());
    });
  }
  return good;
}

bool SchemaChecker::check_text(const TextRules& rules,
                               const SchemaValue& value,
                               const Place& place) {
  bool good = true;
  const std::size_t characters = character_count(value.text);
  if (!rules.length.holds(characters)) {
    good = refuse(place, [&] {
      return fmt::format("must have {} characters, has {}", wanted(rules.length), characters);
    });
  }
  if (rules.pattern != k_no_index && !matches(rules.pattern, value.text)) {
    good = refuse(place, [&] {
      return fmt::format("does not match the pattern {}",
                         one_line(schema_.patterns[rules.pattern].text(), 80));
    });
  }
  return good;
}

bool SchemaChecker::check_array(const ArrayRules& rules,
                                const SchemaValue& value,
                                const Place& place) {
  bool good = true;
  std::size_t count = 0;
  for (const auto item : array_of(value.element)) {
    const SchemaIndex node = count < rules.prefix.size() ? rules.prefix[count] : rules.items;
    if (node != k_no_index) {
      good = check(node, SchemaValue::of(item), {&place, {}, count, true}) && good;
      if (!good && !goes_on()) {
        return false;
      }
    }
    ++count;
  }
  if (!rules.count.holds(count)) {
    good = refuse(place, [&] {
      return fmt::format("must have {} items, has {}", wanted(rules.count), count);
    });
  }
  if (rules.contains != k_no_index) {
    good = check_contained(rules, value, place) && good;
  }
  if (rules.is_unique && count > 1) {
    if (const auto equals = find_equals(array_of(value.element), room_)) {
      good = refuse(place, [&] {
        return fmt::format(
            "items must differ, those at {} and {} are the same", equals->first, equals->second);
      });
    }
  }
  return good;
}

bool SchemaChecker::check_contained(const ArrayRules& rules,
                                    const SchemaValue& value,
                                    const Place& place) {
  std::size_t count = 0;
  std::size_t index = 0;
  for (const auto item : array_of(value.element)) {
    count +=
        holds_quietly(rules.contains, SchemaValue::of(item), {&place, {}, index, true}) ? 1 : 0;
    ++index;
  }
  return rules.contained.holds(count) || refuse(place, [&] {
           return fmt::format("must have {} items of the kind that contains describes, has {}",
                              wanted(rules.contained),
                              count);
         });
}

bool SchemaChecker::check_object(const ObjectRules& rules,
                                 const SchemaValue& value,
                                 const Place& place) {
  bool good = true;
  std::size_t count = 0;
  std::size_t next = 0;
  std::uint32_t required = 0;
  for (const auto member : object_of(value.element)) {
    ++count;
    const ObjectRules::Property* property = find_property(rules, member.key, next);
    // No key stands twice (see JsonSchema::validate): counting is enough.
    required += property != nullptr && property->is_required ? 1U : 0U;
    good = check_member(rules, property, member.key, SchemaValue::of(member.value), place) && good;
    if (!good && !goes_on()) {
      return false;
    }
  }
  if (required < rules.required_count) {
    good = false;
    name_missing(rules, value, place);
  }
  if (!rules.count.holds(count)) {
    good = refuse(place, [&] {
      return fmt::format("must have {} properties, has {}", wanted(rules.count), count);
    });
  }
  if (!rules.dependencies.empty() && (good || goes_on())) {
    good = check_dependencies(rules, value, place) && good;
  }
  return good;
}

void SchemaChecker::name_missing(const ObjectRules& rules,
                                 const SchemaValue& value,
                                 const Place& place) {
  for (const auto& property : rules.properties) {
    if (is_telling() && property.is_required && !has_key(value, property.key)) {
      refuse(place, [&] {
        return fmt::format("the property \"{}\" is missing", one_line(property.key, 60));
      });
    }
  }
}

bool SchemaChecker::check_member(const ObjectRules& rules,
                                 const ObjectRules::Property* property,
                                 std::string_view key,
                                 const SchemaValue& value,
                                 const Place& place) {
  const Place inner{&place, key, 0, false};
  bool good = true;
  bool is_known = false;
  if (property != nullptr && property->node != k_no_index) {
    is_known = true;
    good = check(property->node, value, inner);
  }
  for (const auto& [pattern, node] : rules.patterns) {
    if ((good || goes_on()) && matches(pattern, key)) {
      is_known = true;
      good = check(node, value, inner) && good;
    }
  }
  if (!is_known && rules.additional != k_no_index && (good || goes_on())) {
    good =
        schema_.nodes[rules.additional].is_false
            ? refuse(place,
                     [&] {
                       return fmt::format("the property \"{}\" is not allowed", one_line(key, 60));
                     })
            : check(rules.additional, value, inner);
  }
  if (rules.names != k_no_index && (good || goes_on()) &&
      !holds_quietly(rules.names, SchemaValue::of_name(key), inner)) {
    good = refuse(place, [&] {
      return fmt::format("\"{}\" is not allowed as the name of a property", one_line(key, 60));
    });
  }
  return good;
}

bool SchemaChecker::check_dependencies(const ObjectRules& rules,
                                       const SchemaValue& value,
                                       const Place& place) {
  bool good = true;
  for (const auto& dependency : rules.dependencies) {
    if (!has_key(value, dependency.key)) {
      continue;
    }
    for (const auto& needed : dependency.needed) {
      if (!has_key(value, needed)) {
        good = refuse(place, [&] {
          return fmt::format("the property \"{}\" is missing, which \"{}\" asks for",
                             one_line(needed, 60),
                             one_line(dependency.key, 60));
        });
      }
    }
    if (dependency.node != k_no_index && (good || goes_on())) {
      good = check(dependency.node, value, place) && good;
    }
  }
  return good;
}

// A pattern that gives up has not said no: the whole check is void then.
bool SchemaChecker::matches(SchemaIndex pattern, std::string_view text) {
  const Pattern::Verdict verdict = schema_.patterns[pattern].search(text);
  is_given_up_ = is_given_up_ || verdict == Pattern::Verdict::undecided;
  return verdict == Pattern::Verdict::match;
}

}  // namespace batchllm
