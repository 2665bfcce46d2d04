// SPDX-License-Identifier: Apache-2.0
#include "core/bad_row_error.h"

#include "core/text.h"

#include <fmt/format.h>

#include <utility>

namespace batchllm {

Error bad_row_error(const BadRow& bad, const std::string& input, std::string hint) {
  const RowPlace& place = bad.place;
  const std::string where = place.line == 0 ? fmt::format("{}: byte {}", input, place.byte_offset)
                                            : fmt::format("{}:{}", input, place.line);
  return Error(
             ErrorCode::bad_row,
             fmt::format("{}: row {}: {}", where, with_thousands(place.row_index + 1), bad.message),
             std::move(hint))
      .with_detail("file", input)
      .with_detail("line", std::to_string(place.line))
      .with_detail("row", std::to_string(place.row_index + 1))
      .with_detail("reason", bad.reason);
}

}  // namespace batchllm
