// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/raw_bytes.h"

#include <memory>
#include <string>

namespace batchllm {

// Decodes gzip (RFC 1952), checking every member's CRC and length, which libarchive's filter does
// not. Otherwise as `decompress` of adapters/stream/decompression.h; zero bytes behind the last
// member (as tapes and some tools leave them) are passed over.
std::unique_ptr<RawBytes> gunzip(std::unique_ptr<RawBytes> bytes, std::string head);

}  // namespace batchllm
