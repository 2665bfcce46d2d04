// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/input_settings.h"
#include "core/job_settings.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::files {

// What a file must be to be taken as an input.
struct FileLimits {
  // Decompressed and decoded, so that a small archive of zeros cannot keep us busy for days.
  std::uint64_t decoded_bytes = std::uint64_t{1} << 40;
  std::vector<InputFormat> formats = {
      InputFormat::csv, InputFormat::tsv, InputFormat::json, InputFormat::jsonl, InputFormat::text};
  BadRowPolicy on_bad_row = BadRowPolicy::stop;  // reject: counts them
};

// What was found out about a file.
struct FileFacts {
  std::string name;  // safe_file_name, with an extension where only the media type told the format:
                     // under this name (ContentStore::link_input) a run sees the same format
  std::string format;  // "csv", "tsv", "json", "jsonl", "text"
  std::uint64_t rows = 0;
  std::uint64_t bad_rows = 0;
  std::vector<std::string> columns;  // of open-ended JSON those of the first rows
  std::string encoding;              // "utf-8", "utf-16le", …
  std::string compression;           // "gzip", "zstd", … or "none"
  std::uint64_t decoded_bytes = 0;
  // What a run's --encoding must say, when it does not find the encoding itself; else empty. From
  // the settings or the media type's charset.
  std::string encoding_setting;
};

// Throws Error(file_type_refused) for a media type (a Content-Type header, parameters allowed) that
// no allowed format has: an image, an archive, …. Types that say nothing (none,
// application/octet-stream, …) pass. To be asked before the bytes are read.
void check_media_type(std::string_view media_type, const FileLimits& limits);

// Reads the file at `path` to its end as a run would read it under the name that the client gave,
// which messages use. The format comes from the name's extension, else from the media type, else
// from the content. Bounded memory. `settings`: what else is known (encoding, delimiter, …).
//
// Throws what a run would throw: Error(input_malformed | input_unreadable | bad_row | usage) naming
// file and line; Error(file_type_refused) for a format that is not allowed and for what is no text,
// Error(file_too_large) beyond limits.decoded_bytes. Thread-safe.
FileFacts check_file(const std::filesystem::path& path,
                     std::string_view name,
                     std::string_view media_type,
                     const FileLimits& limits,
                     const InputSettings& settings = {});

}  // namespace batchllm::files
