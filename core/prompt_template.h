// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_batch.h"
#include "core/template_filters.h"
#include "core/template_names.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Where a template's text comes from, for messages: "--prompt", or a file and the place in it where
// the text begins (both 1-based).
struct TemplateOrigin {
  std::string name;
  std::size_t line = 1;
  std::size_t column = 1;
};

// Text with placeholders, compiled once and rendered for every row.
//
//   {text}                      the cell of a column, or the value of a variable
//   {customer.name} {tags[0]}   a value inside a cell that holds JSON
//   {text|trim|truncate:200}    filters, left to right (core/template_filters.h)
//   {{ }}                       literal braces
//
// What is a placeholder:
// - text in braces that equals a known column or variable (spaces around it allowed), whatever
//   characters that name has; the longest known name wins;
// - text that looks like a path (path_length in core/template_names.h). When it names nothing
// known, that
//   is an error, as is a path whose known column is followed by a malformed index;
// - anything else in braces is an error only when it is a likely typing mistake for a known name
//   ("{First Nam}"), otherwise literal text, as is its closing brace: a JSON example such as
//   {"a": {"b": 1}} stays as it is, and placeholders inside it work.
//
// A value that the row does not have, or JSON null, renders as nothing unless `default` says
// otherwise. For open-ended inputs a name that the first rows do not know is allowed when a
// `default` filter stands behind it.
//
// Immutable after bind(); render() may then be called from several threads.
class PromptTemplate {
 public:
  // Throws Error(column_missing) for a path that names nothing, with the nearest name as hint,
  // Error(template_invalid) for an unknown filter, a bad argument or text that is not UTF-8, and
  // Error(usage) for variables with the name of a column.
  static PromptTemplate compile(std::string_view text,
                                const TemplateNames& names,
                                const TemplateOrigin& origin);

  // The columns it reads, each once, in order of appearance: what the source is to select.
  const std::vector<std::string>& columns() const noexcept { return columns_; }

  // Names of the variables it uses.
  const std::vector<std::string>& variables() const noexcept { return variables_; }

  // True when prompts differ from row to row.
  bool uses_rows() const noexcept { return !columns_.empty(); }

  // Things that are allowed and probably not meant, as sentences with their place: `{{text}}` where
  // `text` is a column.
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  // Says in which order the cells of the batches to come are: names as given to RowSource::select.
  void bind(const std::vector<std::string>& selected);

  // Appends the prompt of one row to `out`.
  void render(const RowBatch& batch, std::size_t row, std::string& out) const;

 private:
  friend class TemplateCompiler;

  // Literal text, then the value of a column. The last part has no column.
  struct Part {
    std::size_t literal_begin = 0;  // in literals_
    std::size_t literal_end = 0;
    std::size_t column = k_no_column;  // in columns_
    std::string inner;                 // path inside the cell
    std::vector<FilterCall> filters;
    std::size_t cell = 0;  // set by bind
  };

  static constexpr std::size_t k_no_column = static_cast<std::size_t>(-1);

  static void append_special(const Part& part, TemplateValue value, std::string& out);

  std::string literals_;
  std::vector<Part> parts_;
  std::vector<std::string> columns_;
  std::vector<std::string> variables_;
  std::vector<std::string> warnings_;
};

}  // namespace batchllm
