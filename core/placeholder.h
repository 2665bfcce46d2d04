// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/template_filters.h"
#include "core/template_names.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// One `{path|filter:argument|…}` of a prompt template.
struct Placeholder {
  NamePath path;
  std::vector<FilterCall> filters;
  std::size_t length = 0;  // bytes of the template, both braces included
};

// Reads the placeholder at the start of `text`, which begins with '{'. nullopt when this brace is
// literal text; what counts as what is written in core/prompt_template.h. Throws
// Error(column_missing | template_invalid) that begins with `place()`.
std::optional<Placeholder> parse_placeholder(std::string_view text,
                                             const TemplateNames& names,
                                             const std::function<std::string()>& place);

}  // namespace batchllm
