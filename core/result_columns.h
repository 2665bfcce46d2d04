// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/outcome.h"
#include "core/row_sink.h"

#include <string>
#include <vector>

namespace batchllm {

// What the job adds to a row: the output, and on request status, error, tokens, cost, latency and
// attempts. A name that the input has already gets the output column's name before it
// ("label_status").
class ResultColumns {
 public:
  // `with_error`: a column with the reason of failed rows; contained in `with_meta`.
  ResultColumns(std::string output_column,
                bool with_meta,
                bool with_error,
                const std::vector<std::string>& input_columns);

  const std::vector<std::string>& names() const noexcept { return names_; }

  // The values for one row; views into `outcome` and this object, valid until the next call.
  const std::vector<NewCell>& cells(const Outcome& outcome);

 private:
  std::string_view number(std::string text);

  bool with_meta_;
  bool with_error_;
  std::vector<std::string> names_;
  std::vector<NewCell> cells_;
  std::vector<std::string> texts_;
  std::size_t used_texts_ = 0;
  std::string error_;
};

}  // namespace batchllm
