// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace batchllm {

// Turns a cell of --image-column into the URL that a provider takes. Providers refuse larger
// pictures than this; base64 makes them a third larger still.
constexpr std::size_t k_max_image_bytes = std::size_t{20} << 20;

// An http(s) or data: URL stays as it is. Anything else is the path of an image file (png, jpeg,
// gif or webp, known by its first bytes), relative to `folder` (that of the input file; empty: the
// current one); it becomes a data: URL. An empty cell gives an empty URL: no image. The failure
// says what is wrong with this row's image, for Outcome::message.
Result<std::string> image_url_of_cell(std::string_view cell, const std::string& folder);

}  // namespace batchllm
