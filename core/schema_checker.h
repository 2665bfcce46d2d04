// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/schema_nodes.h"
#include "core/schema_values.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Holds one value against a compiled schema. With no list for mistakes it stops at the first one
// and allocates nothing; with a list it goes on to find the next, up to a few.
class SchemaChecker {
 public:
  // `mistakes` may be null.
  SchemaChecker(const CompiledSchema& schema,
                EqualsRoom& room,
                std::vector<SchemaMistake>* mistakes) noexcept
      : schema_(schema),
        room_(room),
        mistakes_(mistakes) {}

  // Whether the value follows the schema. False too when that could not be found out within bounds
  // for time.
  bool holds(simdjson::dom::element root);

 private:
  // Where a value is, from the inside out; one on the stack for each level.
  struct Place {
    const Place* outer = nullptr;
    std::string_view key{};
    std::size_t index = 0;
    bool is_index = false;
  };

  // Mistakes found while it lives are no mistakes of the answer: another choice may hold.
  class Quiet {
   public:
    explicit Quiet(SchemaChecker& checker) noexcept : checker_(checker) { ++checker_.quiet_; }

    ~Quiet() { --checker_.quiet_; }

    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;
    Quiet(Quiet&&) = delete;
    Quiet& operator=(Quiet&&) = delete;

   private:
    SchemaChecker& checker_;
  };

  bool check(SchemaIndex index, const SchemaValue& value, const Place& place);
  bool check_values(const ValueRules& rules, const SchemaValue& value, const Place& place);
  bool check_number(const NumberRules& rules, const SchemaValue& value, const Place& place);
  bool check_text(const TextRules& rules, const SchemaValue& value, const Place& place);
  bool check_array(const ArrayRules& rules, const SchemaValue& value, const Place& place);
  bool check_contained(const ArrayRules& rules, const SchemaValue& value, const Place& place);
  bool check_object(const ObjectRules& rules, const SchemaValue& value, const Place& place);
  bool check_member(const ObjectRules& rules,
                    const ObjectRules::Property* property,
                    std::string_view key,
                    const SchemaValue& value,
                    const Place& place);
  bool check_dependencies(const ObjectRules& rules, const SchemaValue& value, const Place& place);
  void name_missing(const ObjectRules& rules, const SchemaValue& value, const Place& place);
  bool check_combined(const CombinedRules& rules, const SchemaValue& value, const Place& place);
  bool check_any(const std::vector<SchemaIndex>& choices,
                 const SchemaValue& value,
                 const Place& place);
  bool check_one(const std::vector<SchemaIndex>& choices,
                 const SchemaValue& value,
                 const Place& place);
  void explain_choices(const std::vector<SchemaIndex>& choices,
                       const SchemaValue& value,
                       const Place& place);
  bool check_condition(const CombinedRules& rules, const SchemaValue& value, const Place& place);
  bool holds_quietly(SchemaIndex index, const SchemaValue& value, const Place& place);
  bool matches(SchemaIndex pattern, std::string_view text);

  // Whether mistakes are written down where the check is now.
  bool is_telling() const noexcept { return mistakes_ != nullptr && quiet_ == 0; }

  // Whether a value that has failed one rule is still held against the next.
  bool goes_on() const noexcept;

  // Returns false. `say` makes the message, when it is wanted.
  template <typename Say>
  bool refuse(const Place& place, const Say& say) {
    if (is_telling()) {
      write_down(place, say());
    }
    return false;
  }

  void write_down(const Place& place, std::string what);

  const CompiledSchema& schema_;
  EqualsRoom& room_;
  std::vector<SchemaMistake>* mistakes_;
  int quiet_ = 0;
  std::uint64_t steps_ = 0;
  bool is_given_up_ = false;
};

}  // namespace batchllm
