// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/column_check.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {

void require_column(const RowSource& source,
                    const std::string& name,
                    std::string_view option,
                    LaterColumns later) {
  const auto& columns = source.columns();
  if (name.empty() || (source.is_open_ended() && later == LaterColumns::allowed) ||
      std::find(columns.begin(), columns.end(), name) != columns.end()) {
    return;
  }
  const auto nearest = nearest_name(name, columns);
  throw Error(ErrorCode::column_missing,
              fmt::format("{} {}: the input has no such column", option, printable(name)),
              fmt::format("{}columns are: {}",
                          nearest ? fmt::format("did you mean {}? ", *nearest) : "",
                          name_list(columns)));
}

}  // namespace batchllm
