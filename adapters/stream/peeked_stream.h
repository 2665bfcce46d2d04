// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_stream.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace batchllm {

// Reads until `wanted` bytes are there or the stream ends.
std::string read_up_to(ByteStream& stream, std::size_t wanted);

// A stream of which the first bytes, `head`, were read already: it gives them again.
std::unique_ptr<ByteStream> with_head(std::string head, std::unique_ptr<ByteStream> rest);

}  // namespace batchllm
