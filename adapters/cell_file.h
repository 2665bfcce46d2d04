// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// Reads the file that a cell of the input names: relative to `folder` (that of the input file;
// empty: the current one), a regular file of at most `most_bytes`. The failure says what is wrong,
// as "image a.png has 21.0 MB, the limit is 20.0 MB"; `what` is "image" or "document".
//
// Without a folder (nullopt) every file is refused: rows that came from elsewhere must not name
// files of this machine.
Result<std::string> read_cell_file(std::string_view what,
                                   std::string_view name,
                                   const std::optional<std::string>& folder,
                                   std::uint64_t most_bytes);

// "image a.png has 21.0 MB, the limit is 20.0 MB": with what goes on behind it ("of Anthropic").
std::string too_large_text(std::string_view what, std::uint64_t bytes, std::uint64_t most_bytes);

}  // namespace batchllm
