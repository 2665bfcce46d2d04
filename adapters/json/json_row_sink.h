// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_sink.h"
#include "core/row_sink.h"

#include <memory>

namespace batchllm {

enum class JsonLayout {
  lines,  // one object a line
  array,  // one array, an object a line
};

// Writes rows as JSON objects. With `keep_record`, the row's own text is copied (numbers keep their
// spelling, members their order) and the added members follow; a member that an added one replaces
// is left out. Without it, or for rows that are no objects, members are made from the cells: text
// as strings, JSON as it is, missing cells as null.
std::unique_ptr<RowSink> make_json_row_sink(std::unique_ptr<ByteSink> bytes,
                                            JsonLayout layout,
                                            bool keep_record);

}  // namespace batchllm
