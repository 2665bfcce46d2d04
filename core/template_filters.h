// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"
#include "core/row_batch.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// A value on its way through the filters of a placeholder.
struct TemplateValue {
  std::string_view text;
  CellKind kind = CellKind::text;
  bool missing = false;  // the row has no such value (or JSON null); its text is empty
};

// What stands after the colon of a filter: `number` for counts, `texts` for everything else.
struct FilterArguments {
  std::size_t number = 0;
  std::vector<std::string> texts;
};

enum class FilterTakes { nothing, count, text, two_texts };

// One row of the table of filters. `apply` changes the value; where it makes new bytes, it writes
// them to `buffer` (given empty, not what `value` looks at) and lets the value look at it.
struct TemplateFilter {
  std::string_view name;
  FilterTakes takes;
  std::string_view usage;  // "truncate:200", for messages and help
  std::string_view help;   // one line
  void (*apply)(TemplateValue& value, const FilterArguments& arguments, std::string& buffer);
};

// A filter with its arguments, checked.
struct FilterCall {
  const TemplateFilter* filter = nullptr;
  FilterArguments arguments;
};

// All filters, by name; help topics list them from here.
std::span<const TemplateFilter> template_filters() noexcept;

const TemplateFilter* find_template_filter(std::string_view name) noexcept;

// The filter's name nearest to a mistyped one; empty when none is near.
std::string nearest_template_filter(std::string_view name);

// Checks number and form of the arguments. The failure says what the filter wants.
Result<FilterCall> make_filter_call(const TemplateFilter& filter,
                                    std::vector<std::string> arguments);

// Runs the calls one after another. `value` looks at `buffers` afterwards, or at what it looked at
// before.
void apply_filters(std::span<const FilterCall> calls,
                   TemplateValue& value,
                   std::span<std::string, 2> buffers);

}  // namespace batchllm
