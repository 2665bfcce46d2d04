// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace batchllm {

// A generated part of a man page, in mdoc: {"options", "run"}, {"options", "global"}, {"commands"},
// {"exit-codes"}, {"environment"}. What `batchllm __man WORDS…` prints, for the build. Throws
// Error(usage) for another one.
std::string man_section(const std::vector<std::string>& words);

}  // namespace batchllm
