// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.h"
#include "core/row_batch.h"

#include <string>

namespace batchllm {

// What a bad row is when it stops a job: Error(bad_row) "FILE:LINE: row N: …" with the details
// file, line, row and reason. `input` is what the message calls the file.
Error bad_row_error(const BadRow& bad, const std::string& input, std::string hint);

}  // namespace batchllm
