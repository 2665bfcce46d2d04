// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_stream.h"
#include "core/input_settings.h"
#include "core/row_source.h"

#include <memory>
#include <string>
#include <vector>

namespace batchllm {

// One row a file, in the order of `paths`: columns `path`, `name` (its last part) and `text` (its
// content, decompressed and decoded as InputSettings::encoding says). A file longer than
// max_row_bytes is a bad row (`too_long`), one that is no UTF-8 `not_utf8`, one that cannot be read
// `unreadable`. A row's place has the file's number as `input` and line 1. Holds one file at a
// time. Not thread-safe.
std::unique_ptr<RowSource> make_text_files_source(std::vector<std::string> paths,
                                                  const InputSettings& settings,
                                                  OpenStream open = {});

}  // namespace batchllm
