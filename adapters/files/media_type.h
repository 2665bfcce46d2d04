// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/input_settings.h"

#include <optional>
#include <string>
#include <string_view>

namespace batchllm::files {

// What a Content-Type header says.
struct MediaType {
  std::string type;     // "text/csv", lower case; empty when there is none
  std::string charset;  // lower case; empty when it is not said
};

MediaType parse_media_type(std::string_view header);

// The input format of files of that type: `automatic` for types that say nothing about the content
// (none, application/octet-stream, a compression, …), nullopt for what is something else (an image,
// an archive, …).
std::optional<InputFormat> format_by_media_type(std::string_view type);

}  // namespace batchllm::files
