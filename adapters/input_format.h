// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/input_settings.h"

#include <string_view>

namespace batchllm {

// What a file's extension says about its format, after that of a compression ("a.csv.gz" is CSV):
// `automatic` when it says nothing.
InputFormat format_by_name(std::string_view path);

// The format of a text whose file's name says `by_name`, from its first bytes. Names win unless the
// content is clearly something else. Never `automatic`; never `text` unless the name says so.
InputFormat format_by_content(std::string_view head, InputFormat by_name);

// "csv", "tsv", "json", "jsonl", "text", "automatic".
std::string_view format_name(InputFormat format) noexcept;

// True for formats whose files can be read as one input: CSV with TSV, JSON with JSONL.
bool same_family(InputFormat a, InputFormat b) noexcept;

}  // namespace batchllm
