// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// The largest image that is read at all; base64 makes it a third larger still.
constexpr std::size_t k_max_image_bytes = std::size_t{20} << 20;

// What the provider takes: data of share/models.toml.
struct ImageLimits {
  std::uint64_t bytes = k_max_image_bytes;
  std::optional<std::int64_t> side;  // pixels of the longer side
};

// Turns a cell of --image-column into the URL that a provider takes. An http(s) URL stays as it is.
// The image of a data: URL, and of a file (png, jpeg, gif or webp), is known by its first bytes,
// whatever its name says, and held against the limits. Files are found as read_cell_file does. An
// empty cell gives an empty URL: no image. The failure says what is wrong with this row's image,
// for Outcome::message.
Result<std::string> image_url_of_cell(std::string_view cell,
                                      const std::optional<std::string>& folder,
                                      const ImageLimits& limits = {});

// Width and height of an image in pixels.
struct ImageSize {
  std::uint32_t width = 0;
  std::uint32_t height = 0;

  bool operator==(const ImageSize&) const = default;
};

// As its header says; nullopt when that is cut off or of a kind that does not say it in one place.
std::optional<ImageSize> image_size(std::string_view bytes) noexcept;

}  // namespace batchllm
