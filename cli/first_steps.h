// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/row_source.h"

namespace batchllm {

// A run command that works on this input: its column with the longest texts in the prompt. Reads the
// first rows of `source`.
std::string example_run_command(const std::string& path, RowSource& source);

}  // namespace batchllm
