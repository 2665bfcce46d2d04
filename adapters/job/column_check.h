// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_source.h"

#include <string>
#include <string_view>

namespace batchllm {

// Whether a column of JSON rows may be one that the first of them do not have.
enum class LaterColumns { allowed, refused };

// Throws Error(column_missing), with the nearest name, when the input has no column `name`; an
// empty name is none that is asked for. `option` is for the message: "--id-column".
void require_column(const RowSource& source,
                    const std::string& name,
                    std::string_view option,
                    LaterColumns later = LaterColumns::allowed);

}  // namespace batchllm
