// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/raw_bytes.h"

#include <memory>
#include <string>
#include <string_view>

namespace batchllm {

// How the bytes that begin with `head` are compressed, by their magic numbers: "gzip", "zstd",
// "xz", "bzip2", "lz4", or "none".
std::string_view compression_by_magic(std::string_view head) noexcept;

// Decodes `bytes`, of which `head` was read already. Members that follow one another are read as
// one text. A damaged or cut off input first gives what could be decoded, then throws
// Error(input_unreadable) naming the decoded offset. `fraction_read` and `prefix_digest` are those
// of the stored bytes.
std::unique_ptr<RawBytes> decompress(std::unique_ptr<RawBytes> bytes, std::string head);

}  // namespace batchllm
