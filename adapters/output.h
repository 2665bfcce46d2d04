// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_sink.h"
#include "core/job_settings.h"
#include "core/row_sink.h"

#include <memory>
#include <string>
#include <string_view>

namespace batchllm {

// What a result file is to be: never `automatic`.
struct OutputKind {
  OutputFormat format = OutputFormat::csv;
  Compression compression = Compression::none;
};

// The format that the settings or the path's extension say (".csv", ".jsonl.zst"); for other names
// and for "-" `fallback`, which goes with the input. Throws Error(usage) for an extension that
// names a format that cannot be written.
OutputKind output_kind(const std::string& path, OutputFormat wanted, OutputFormat fallback);

// The extension of a format: ".csv", ".tsv", ".json", ".jsonl", ".npy".
std::string_view extension_of(OutputFormat format) noexcept;

struct RowSinkOptions {
  OutputFormat format = OutputFormat::csv;
  bool escape_formulas = false;  // CSV and TSV
  bool keep_record = false;      // JSON: copy a row's own spelling, as all its columns are kept
  bool append = false;           // CSV: the header is there already
};

// A sink that writes rows in one format into `bytes`. JSON values go into CSV cells as JSON text.
// Throws Error(usage) for .npy, which needs a file.
std::unique_ptr<RowSink> make_row_sink(std::unique_ptr<ByteSink> bytes,
                                       const RowSinkOptions& options);

// Both at once: a row sink on the file at `path`.
std::unique_ptr<RowSink> open_output(const std::string& path,
                                     Compression compression,
                                     const RowSinkOptions& options);

// The same on an open descriptor, which stays the caller's; `name` is for messages.
std::unique_ptr<RowSink> open_output(int descriptor,
                                     const std::string& name,
                                     Compression compression,
                                     const RowSinkOptions& options);

}  // namespace batchllm
