// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_sink.h"

#include <memory>
#include <string>

namespace batchllm {

// Compresses what it is given into `sink`. The same input gives the same bytes. `name` is for
// messages; `compression` is not `none`.
std::unique_ptr<ByteSink> make_compressed_sink(std::unique_ptr<ByteSink> sink,
                                               Compression compression,
                                               std::string name);

}  // namespace batchllm
