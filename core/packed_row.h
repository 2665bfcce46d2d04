// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_batch.h"

#include <string>
#include <string_view>

namespace batchllm {

// Puts one row (cells, kinds, record) into bytes of its own, for results written in the order in
// which answers come. The layout is private to this pair and never at rest.
void pack_row(const RowBatch& batch, std::size_t row, std::string& out);

// Makes `batch` hold that one row; its views point into `packed`.
void unpack_row(std::string_view packed, const RowPlace& place, RowBatch& batch);

}  // namespace batchllm
