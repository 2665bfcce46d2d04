// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_source.h"

#include <string>
#include <vector>

namespace batchllm {

// The names of all members of all rows of an open-ended source, in the order of their first
// appearance. Reads the source to its end. Throws Error(input_malformed) when there are more than
// 10,000 names: that is no table.
std::vector<std::string> collect_columns(RowSource& source);

}  // namespace batchllm
