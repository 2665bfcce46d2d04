// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/filter_value.h"
#include "core/template_names.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

enum class FilterOperation {
  constant,
  column,
  any_of,
  all_of,
  negate,
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  in_list,  // the first child is looked for among the others
  contains,
  starts_with,
  ends_with,
  like,
  is_null,
  length,
  lower,
  upper,
  trim,
  number,
  fallback,  // the first child, or the second when that is null or empty
};

// One node of a parsed `--where` expression.
struct FilterNode {
  FilterOperation operation = FilterOperation::constant;
  std::vector<FilterNode> children;
  FilterValue constant;
  std::size_t column = 0;  // in the columns of the filter
  std::string inner;       // path inside the cell
};

// Reads an expression; the columns it names are added to `columns`, each once. Errors as
// RowFilter::compile.
FilterNode parse_row_filter(std::string_view expression,
                            const TemplateNames& names,
                            std::string_view option,
                            std::vector<std::string>& columns);

}  // namespace batchllm
