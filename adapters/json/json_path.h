// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_window.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::json {

// The steps of "/data/items" (JSON Pointer, with ~0 and ~1) or "data.items". Throws Error(usage)
// for an empty step in the dotted form.
std::vector<std::string> parse_json_path(std::string_view path);

// Reads on in `window`, whatever the size of what is passed over, to the array at `path` and behind
// its opening bracket. Returns the physical line that was reached. What is passed over is not
// checked in full. Throws Error(input_malformed) naming the file and what is there instead.
std::uint64_t find_array(JsonWindow& window, const std::string& path);

}  // namespace batchllm::json
