// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// The names that a prompt template or a row filter may speak of.
struct TemplateNames {
  std::vector<std::string> columns;
  bool open_ended = false;  // later rows may bring columns that `columns` does not list (JSON)
  std::vector<std::pair<std::string, std::string>> variables;  // name, value; same in every row
};

// What a name in a template means: a column or a variable, and the way from there into its JSON.
struct NamePath {
  std::string name;   // of the column or variable
  std::string inner;  // ".a[0].b", empty for the cell itself; as find_in_json takes it
  bool is_variable = false;
};

// Reads `text` as a path: a known name, then any number of ".member" and "[index]". The longest
// known name wins, so that a column called "a.b" is found before member b of column a. nullopt when
// no known name begins the text or what follows it is no path. Columns win over variables.
std::optional<NamePath> resolve_path(std::string_view text, const TemplateNames& names);

// Length of the longest text at the start of `text` that looks like a path without knowing any
// name: letters, digits, '_', '-' and anything beyond ASCII, not beginning with a digit or '-',
// then ".member" and "[index]" steps; behind "steps" a member may be a number. 0 when it does not
// look like one.
std::size_t path_length(std::string_view text) noexcept;

// The part of a path before its first step: "a" of "a.b[0]".
std::string_view path_head(std::string_view path) noexcept;

// The known name nearest to a mistyped path, written as the whole path with that name; nullopt when
// none is near.
std::optional<std::string> nearest_path(std::string_view path, const TemplateNames& names);

// "did you mean {text}? columns are: id, text and lang"; both names may be empty lists. `open` and
// `close` surround the suggestion.
std::string missing_column_hint(std::string_view path,
                                const TemplateNames& names,
                                std::string_view open,
                                std::string_view close);

// Throws Error(usage) when a variable has the name of a column, is given twice, or is not UTF-8.
void check_variables(const TemplateNames& names);

}  // namespace batchllm
