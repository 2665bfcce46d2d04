// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_batch.h"
#include "core/template_names.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

struct FilterNode;

// The expression of `--where`, compiled once and asked for every row:
//
//   status == "open" and len(text) > 20
//   meta.lang in ("de", "en") or not priority starts_with "low"
//
// Grammar, weakest first (words in any case):
//   a or b, a || b;  a and b, a && b;  not a, !a
//   == != < <= > >=;  in (a, b, …);  contains, starts_with, ends_with;  like (with * and ?);
//   is null, is not null;  not before in, contains, starts_with, ends_with and like
//   (…), "text", 'text', 12.5, true, false, null
//   len(x) lower(x) upper(x) trim(x) number(x) default(x, y)
//   columns: bare like a path of a prompt template, or `in backticks` or {in braces} for odd names
//
// Values:
// - null is what the row does not have, or JSON null. null == null; null != anything else; every
// other
//   comparison with null is false. An empty CSV cell is "" and not null.
// - Numbers are number literals, len(), number() and numbers in JSON. Where one side is a number
// and the
//   other can be read as one, they are compared as numbers; a number never equals, and is neither
//   less nor greater than, text that is none. number(x) is null when x is no number.
// - true and false are compared with the words "true" and "false" in any case.
// - Everything else is compared bytewise as text.
// - Standing alone, null, "", 0 and false (also as the texts "0" and "false") are false.
//
// Immutable after bind(); matches() may then be called from several threads.
class RowFilter {
 public:
  // Throws Error(usage) showing the place, and Error(column_missing) for an unknown column, with
  // the nearest as hint. For open-ended inputs unknown names are allowed inside default().
  // Variables are constants. `option` is what messages begin with.
  static RowFilter compile(std::string_view expression,
                           const TemplateNames& names,
                           std::string_view option = "--where");

  RowFilter(RowFilter&& other) noexcept;
  RowFilter& operator=(RowFilter&& other) noexcept;
  RowFilter(const RowFilter&) = delete;
  RowFilter& operator=(const RowFilter&) = delete;
  ~RowFilter();

  // The columns it reads, each once: what the source is to select.
  const std::vector<std::string>& columns() const noexcept { return columns_; }

  // Says in which order the cells of the batches to come are.
  void bind(const std::vector<std::string>& selected);

  bool matches(const RowBatch& batch, std::size_t row) const;

 private:
  RowFilter(std::unique_ptr<const FilterNode> root, std::vector<std::string> columns);

  std::unique_ptr<const FilterNode> root_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> cells_;  // of columns_, in the batches to come
};

}  // namespace batchllm
